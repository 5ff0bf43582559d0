// Two cores are few, and an agent is one per Windows: one node at a time.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
