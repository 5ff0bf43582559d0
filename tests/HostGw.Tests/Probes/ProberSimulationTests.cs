using HostGw.Planning;
using HostGw.Probes;

namespace HostGw.Tests.Probes;

/// <summary>Two agents and a network that fails in any way at any time, by a seed; then the faults end.</summary>
public class ProberSimulationTests
{
    private const int Seeds = 30;
    private const double Faulty = 1800;

    // Five losses on the node path and five more on the pods', a signal, two passes.
    private const double Bound = 40;

    // The native path is proven, and whoever froze or restarted at the end begins again.
    private const double Settled = 700;

    [Fact]
    public void Faults_cost_no_more_than_they_last_and_both_ends_come_to_rest()
    {
        for (int seed = 0; seed < Seeds; seed++)
            new Run(seed).Check();
    }

    private sealed class Run
    {
        private readonly Random _random;
        private readonly ProbedPair _pair;
        private readonly List<string> _story = [];
        private bool _dropsPods, _dropsTunnel, _dropsFromAOnly;
        private double _calmSince, _wrongSince = double.NaN;

        public Run(int seed)
        {
            _random = new(seed);
            bool isOnLink = _random.Next(3) > 0;
            _pair = new(isOnLink: isOnLink)
            {
                DropsPods = e => _dropsPods && (!_dropsFromAOnly || e == _pair!.A),
                DropsTunnel = _ => _dropsTunnel,
            };
            _story.Add($"seed {seed}{(isOnLink ? "" : ", two segments")}");
        }

        public void Check()
        {
            _pair.Start();
            int faults = 0;
            while (_pair.Now.TotalSeconds < Faulty)
            {
                Step(_random.NextDouble() * _random.Next(1, 150));
                Fault();
                faults++;
            }
            // One way at least works in the end.
            _dropsTunnel &= !_dropsPods;
            Told($"the end: {(_dropsPods ? "only the tunnel works" : "native routing works")}");
            _calmSince = Math.Max(_calmSince, _pair.Now.TotalSeconds);
            int[] before = [.. _pair.Ends.Select(e => e.Changes.Count)];
            Step(Settled + 100);
            Assert.True(_pair.Ends.All(e => e.IsTunnelled == _dropsPods), Story("they end on another path"));
            int[] settled = [.. _pair.Ends.Select(e => e.Changes.Count)];
            Step(1000);
            Assert.True(settled.SequenceEqual(_pair.Ends.Select(e => e.Changes.Count)), Story("they do not come to rest"));
            Assert.True(_pair.Ends.Zip(before).All(p => p.First.Changes.Count - p.Second <= 3), Story("they change too often at the end"));
            Assert.True(_pair.Ends.All(e => e.Changes.Count <= faults + 1), Story($"they change too often for {faults} faults"));
        }

        private void Fault()
        {
            ProbedEnd end = _pair.Ends[_random.Next(2)];
            _calmSince = Math.Max(_calmSince, _pair.Now.TotalSeconds);
            switch (_random.Next(6))
            {
                case 0 or 1:
                    (_dropsPods, _dropsFromAOnly) = (!_dropsPods, _random.Next(3) == 0);
                    Told($"pods' packets {(!_dropsPods ? "pass" : _dropsFromAOnly ? "from a are dropped" : "are dropped")}");
                    break;
                case 2:
                    _dropsTunnel = !_dropsTunnel;
                    Told($"the tunnel's packets {(_dropsTunnel ? "are dropped" : "pass")}");
                    break;
                case 3:
                    double frozen = _random.NextDouble() * _random.Next(1, 120);
                    Told($"{end.Node.Name} is frozen for {frozen:0.0} s");
                    end.Freeze(frozen);
                    _calmSince = Math.Max(_calmSince, _pair.Now.TotalSeconds + frozen);
                    break;
                case 4 when !end.IsFrozen:
                    Told($"{end.Node.Name} restarts");
                    end.Stop();
                    end.Start();
                    break;
                default:
                    end.PassSeconds = _random.NextDouble() * 2;
                    Told($"passes of {end.Node.Name} take {end.PassSeconds:0.0} s");
                    break;
            }
        }

        // What pods' packets meet at each moment.
        private void Step(double seconds)
        {
            for (double left = seconds; left > 0; left -= 0.5)
            {
                _pair.Run(Math.Min(left, 0.5));
                double now = _pair.Now.TotalSeconds;
                bool mayBeWrong = _dropsPods && _dropsTunnel;
                bool isWrong = !mayBeWrong && _pair.Ends.Any(e => e.IsTunnelled ? _dropsTunnel || !_pair.Other(e).HasLink : _dropsPods);
                _wrongSince = !isWrong ? double.NaN : double.IsNaN(_wrongSince) ? now : _wrongSince;
                bool isTooLong = isWrong && now - Math.Max(_wrongSince, _calmSince) >= Bound;
                Assert.False(isTooLong, Story("pods' packets are lost for longer than they need be"));
            }
        }

        private void Told(string what) => _story.Add(FormattableString.Invariant($"{_pair.Now.TotalSeconds:0.0}: {what}"));

        private string Story(string fault) => string.Join('\n',
        [
            .. _story, FormattableString.Invariant($"{_pair.Now.TotalSeconds:0.0}: {fault}"),
            .. _pair.Ends.Select(e => $"{e.Node.Name}: {e.Reach}, link {e.HasLink}, changes {string.Join(' ', e.Changes)}"),
        ]);
    }
}
