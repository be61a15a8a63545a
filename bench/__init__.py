"""Benchmarks: kchat beside what a user would pick instead, on real servers, in one run.

Times are given as ratios within one run, for these are the figures that another machine repeats. Structural
figures (marked S) are counts: connections, threads, records, imports. They alone can fail a run.
"""
