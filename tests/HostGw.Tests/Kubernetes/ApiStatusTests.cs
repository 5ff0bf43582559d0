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
        Assert.Equal((code, reason, message, retryAfter), (status.Code, status.Reason, status.Message, status.RetryAfterSeconds));
    }

    [Theory]
    [InlineData("", 0, "", "", null)]
    [InlineData("1200", 0, "", "", null)]
    [InlineData("0A0C" + "0A027631" + "1206537461747573" + "1213" + "0A00" + "1A0161" + "22034E6F77" + "2A04" + "0A00" + "2807" + "309A03", 410, "Now", "a", 7)]
    [InlineData("1206" + "309A03" + "1A0161" + "1A00" + "2200", 410, "", "a", null)]
    [InlineData("1210" + "309A03" + "1A0161", 0, "", "", null)] // cut: nothing of it
    [InlineData("1203" + "1A0561", 0, "", "", null)]
    public void Of_an_error_answer_in_protobuf_is_kept(string hex, int code, string reason, string message, int? retryAfter)
    {
        ApiStatus status = Protobuf(hex);
        Assert.Equal((code, reason, message, retryAfter), (status.Code, status.Reason, status.Message, status.RetryAfterSeconds));
    }

    [Fact]
    public void The_reasons_of_the_causes_are_kept()
    {
        const string Json = """{"details":{"causes":[{"reason":"ResourceVersionTooLarge","message":"m"},{"message":"no reason"}]},"code":504}""";
        Assert.Equal(["ResourceVersionTooLarge", ""], ApiStatus.Parse(Encoding.UTF8.GetBytes(Json)).Causes);
        // details { causes { reason "Too", message "m" } retryAfterSeconds 1 } code 504
        ApiStatus status = Protobuf("1213" + "2A0C" + "2208" + "0A03546F6F" + "12016D" + "2801" + "30F803" + "1A00");
        Assert.Equal((504, 1, "Too"), (status.Code, status.RetryAfterSeconds, Assert.Single(status.Causes)));
    }

    [Fact]
    public void Broken_protobuf_is_only_text() =>
        Assert.Equal("k8s ", Protobuf("0B").Message[..4]);

    [Fact]
    public void Long_text_is_cut() =>
        Assert.Equal(512, ApiStatus.Parse(Encoding.UTF8.GetBytes($$"""{"message":"{{new string('x', 60_000)}}"}""")).Message.Length);

    private static ApiStatus Protobuf(string hex) => ApiStatus.Parse((byte[])[.. "k8s\0"u8, .. Convert.FromHexString(hex)]);
}
