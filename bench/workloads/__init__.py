"""One row of the table for each module; its `WORKLOAD` is a `bench.workload.Workload`."""
