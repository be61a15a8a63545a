"""What a topic per session costs a cluster, measured; and what ten million sessions would, computed.

`make scale` starts brokers of its own, fills them with topics and writes docs/scale.md. It is no benchmark
beside others: one contender, and the number of topics is what changes.
"""
