// Namespaces have names, and two cores are few: one cluster at a time.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
