namespace HostGw.Tests.Platform.Windows;

/// <summary>Tests of the stand-in's one host: never two at a time.</summary>
[CollectionDefinition(nameof(WindowsTests), DisableParallelization = true)]
public sealed class WindowsTests;
