using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace HostGw.FakeApi.Security;

/// <summary>Bearer tokens, whose they are and until when.</summary>
internal sealed class TokenStore(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, (string User, DateTimeOffset? Until)> _tokens = new(StringComparer.Ordinal);

    public string Issue(string user, TimeSpan? lifetime)
    {
        string token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        _tokens[token] = (user, time.GetUtcNow() + lifetime);
        return token;
    }

    public void Expire(string token) => _tokens.TryRemove(token, out _);

    public string? UserOf(string token) =>
        _tokens.TryGetValue(token, out var known) && (known.Until is not { } until || time.GetUtcNow() < until) ? known.User : null;
}
