// Two cores are few, and an agent is one per Windows: one node at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
