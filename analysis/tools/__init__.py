"""Commands beside the report: the benchmark, the growth of an analysis, the matrix of faults."""
