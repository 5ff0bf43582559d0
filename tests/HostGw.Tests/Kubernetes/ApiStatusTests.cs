using System.Text;
using HostGw.Kubernetes;

namespace HostGw.Tests.Kubernetes;

public class ApiStatusTests
{
    [Theory]
    [InlineData("""{"kind":"Status","code":410,"reason":"Expired","message":"too old","details":{"retryAfterSeconds":3,"message":"no"}}""", 410, "Expired", "too old", 3)]
    [InlineData("""{"details":{"causes":[{"reason":"x","code":5}],"retryAfterSeconds":1},"message":"a\nb\u001b[31m"}""", 0, "", "a b [31m", 1)]
    [InlineData("""{"code":"410","reason":7,"message":null}""", 0, "", "", null)]
    [InlineData("""{"message":"\ud800"}""", 0, "", """{"message":"\ud800"}""", null)]
    [InlineData("<html>\n404", 0, "", "<html> 404", null)]
    [InlineData("", 0, "", "", null)]
    public void Of_an_error_answer_is_kept(string body, int code, string reason, string message, int? retryAfter)
    {
        ApiStatus status = ApiStatus.Parse(Encoding.UTF8.GetBytes(body));
        Assert.Equal(new(code, reason, message, retryAfter), status);
    }

    [Fact]
    public void Long_text_is_cut() =>
        Assert.Equal(512, ApiStatus.Parse(Encoding.UTF8.GetBytes($$"""{"message":"{{new string('x', 60_000)}}"}""")).Message.Length);
}
