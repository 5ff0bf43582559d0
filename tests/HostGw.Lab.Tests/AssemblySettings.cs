// Namespaces have names: one cluster at a time in a box. tests/tools/test.sh has several boxes.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
