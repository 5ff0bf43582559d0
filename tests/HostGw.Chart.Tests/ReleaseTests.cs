using System.IO.Compression;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace HostGw.Chart.Tests;

/// <summary>The scripts of a release, as far as they need no registry and no GitHub.</summary>
public sealed partial class ReleaseTests : IDisposable
{
    private static readonly string Version = Tool.Script("version.sh");

    private const string Attested = "--build-arg REVISION=0123abc --provenance=mode=max --sbom=true";

    private readonly TemporaryFolder _work = new();

    public ReleaseTests()
    {
        _work.Copy("Makefile", "Directory.Build.props", "tests/tools");
        Fake("git", "echo 0123abc");
    }

    public void Dispose() => _work.Dispose();

    [Theory]
    [InlineData("tar.gz")]
    [InlineData("zip")]
    public void The_same_files_give_the_same_archive_whoever_packs_them_and_when(string kind)
    {
        Pack("022", "2024-01-01", $"first.{kind}");
        Pack("077", "2025-02-02", $"second.{kind}");
        Assert.Equal(File.ReadAllBytes(_work.PathTo($"first.{kind}")), File.ReadAllBytes(_work.PathTo($"second.{kind}")));
    }

    [Fact]
    public void An_archive_names_nobody_and_no_other_time()
    {
        Pack("022", "2024-01-01", "one.tar.gz");
        string list = new Tool("env").Run("TZ=UTC", "tar", "tvzf", _work.PathTo("one.tar.gz"), "--numeric-owner");
        Assert.Equal(
            "drwxr-xr-x 0/0 0 2001-09-09 01:46 app/\n-rwxr-xr-x 0/0 2 2001-09-09 01:46 app/a\n-rw-r--r-- 0/0 2 2001-09-09 01:46 app/b\n",
            Spaces().Replace(list, " "));
    }

    [Fact]
    public void A_zip_has_that_time_too_and_its_files_in_order()
    {
        Pack("022", "2024-01-01", "one.zip");
        using ZipArchive zip = ZipFile.OpenRead(_work.PathTo("one.zip"));
        Assert.Equal(["app/", "app/a", "app/b"], zip.Entries.Select(e => e.FullName));
        Assert.All(zip.Entries, e => Assert.Equal(new(2001, 9, 9, 1, 46, 40), e.LastWriteTime.DateTime));
    }

    [Fact]
    public void Both_images_are_pushed_with_provenance_and_SBOM_and_their_digests_written_down()
    {
        Fake("docker", """echo "$*" >> calls; shift $(($# - 2)); echo '{ "containerimage.digest": "sha256:0abc" }' > "$1" """);
        string sums = Make("release-images", "REGISTRY=ghcr.io/Some-One");
        Assert.Equal("0abc  ghcr.io/some-one/hostgw\n0abc  ghcr.io/some-one/hostgw-windows\n", sums);
        Assert.Equal(
            [
                $"buildx build --platform linux/amd64,linux/arm64 -f Dockerfile.linux --tag ghcr.io/some-one/hostgw:{Version} {Attested} "
                    + "--output type=image,push=true,rewrite-timestamp=true --metadata-file artifacts/release-images/hostgw.json .",
                $"buildx build --platform windows/amd64 -f Dockerfile.windows --tag ghcr.io/some-one/hostgw-windows:{Version} {Attested} "
                    + "--output type=image,push=true --metadata-file artifacts/release-images/hostgw-windows.json .",
            ],
            Calls());
    }

    [Fact]
    public void A_pushed_image_without_a_digest_fails()
    {
        Fake("docker", """shift $(($# - 2)); echo '{ }' > "$1" """);
        string said = new Tool("env").Fail(Command("make", "-C", _work.Root, "release-images", "REGISTRY=r.example"));
        Assert.Contains("hostgw.json has no containerimage.digest", said, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_registry_nothing_is_pushed()
    {
        Fake("docker", """echo "$*" >> calls""");
        Make("release-images");
        Assert.Equal(2, Calls().Length);
        Assert.All(Calls(), c => Assert.Contains("--output type=oci,dest=artifacts/release-images/hostgw", c, StringComparison.Ordinal));
        Assert.All(Calls(), c => Assert.DoesNotContain("push", c, StringComparison.Ordinal));
    }

    [Fact]
    public void The_chart_is_pushed_beside_the_images()
    {
        Fake("helm", """[ "$1" != version ] || { echo v4.0.0; exit; }; echo "$*" """);
        Assert.Equal(
            $"push artifacts/release/hostgw-{Version}.tgz oci://ghcr.io/some-one/charts\n",
            Make("release-chart", "REGISTRY=ghcr.io/Some-One"));
    }

    [Fact]
    public void The_release_has_the_files_and_the_text_of_its_version()
    {
        _work.Write("CHANGELOG.md", $"# Changelog\n\n## {Version}, 2026-01-31\n\n- This.\n\n## 0.0.1, 2025-01-31\n\n- That.\n");
        _work.Write("artifacts/release/SHA256SUMS", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  hostgw-a\n");
        _work.Write("artifacts/release/hostgw-a", "");
        Fake("gh", """echo "$*"; cat""");
        Assert.Equal(
            $"release create v{Version} artifacts/release/SHA256SUMS artifacts/release/hostgw-a --verify-tag --title HostGw {Version} "
                + "--notes-file -\n\n- This.\n\n",
            Make("release-publish"));

        _work.Write("artifacts/release/hostgw-a", "changed");
        string said = new Tool("env").Fail(Command("make", "-C", _work.Root, "release-publish"));
        Assert.Contains("did NOT match", said, StringComparison.Ordinal);
    }

    [Fact]
    public void The_SBOM_names_what_runs_in_the_program_and_no_compiler()
    {
        _work.Write("src/HostGw/obj/project.assets.json", """
            {
              "targets": {
                "net10.0": {
                  "Other/1.0.0": {
                    "type": "package",
                    "runtime": {
                      "lib/net8.0/Other.dll": {
                      }
                    }
                  }
                },
                "net10.0/linux-x64": {
                  "Compiler/1.0.0": {
                    "type": "package",
                    "build": {
                    }
                  },
                  "Library.One/2.3.4": {
                    "type": "package",
                    "runtime": {
                      "lib/net8.0/Library.One.dll": {
                      }
                    }
                  },
                  "PartOfNet/1.0.0": {
                    "type": "package",
                    "runtime": {
                      "lib/net10.0/_._": {
                      }
                    }
                  }
                }
              },
              "project": {
                "downloadDependencies": [
                  {
                    "name": "Microsoft.NETCore.App.Runtime.NativeAOT.linux-x64",
                    "version": "[10.0.1, 10.0.1]"
                  },
                  {
                    "name": "runtime.linux-x64.Microsoft.DotNet.ILCompiler",
                    "version": "[10.0.1, 10.0.1]"
                  }
                ]
              }
            }
            """);
        string archive = _work.Write("hostgw.tar.gz", "");
        JsonNode sbom = JsonNode.Parse(Sbom("linux-x64", archive))!;
        JsonArray packages = sbom["packages"]!.AsArray();
        Assert.Equal(
            ["Library.One 2.3.4", "Microsoft.NETCore.App.Runtime.NativeAOT.linux-x64 10.0.1", $"hostgw {Version}"],
            packages.Select(p => $"{p!["name"]} {p["versionInfo"]}"));
        Assert.Equal("pkg:nuget/Library.One@2.3.4", (string?)packages[0]!["externalRefs"]![0]!["referenceLocator"]);
        Assert.StartsWith("e3b0c442", (string)packages[^1]!["checksums"]![0]!["checksumValue"]!, StringComparison.Ordinal);
        Assert.Equal(("SPDX-2.3", "2001-09-09T01:46:40Z"), ((string?)sbom["spdxVersion"], (string?)sbom["creationInfo"]!["created"]));
        string[] named = [.. packages.Select(p => (string)p!["SPDXID"]!)];
        Assert.All(sbom["relationships"]!.AsArray(), r => Assert.Contains((string)r!["relatedSpdxElement"]!, named));
        Assert.Equal(named.Length, sbom["relationships"]!.AsArray().Count);
    }

    private string Sbom(params string[] arguments) =>
        new Tool("env").Run(["SOURCE_DATE_EPOCH=1000000000", "sh", _work.PathTo("tests/tools/sbom.sh"), .. arguments]);

    private void Pack(string umask, string time, string file) => new Tool("env").Run(
        "SOURCE_DATE_EPOCH=1000000000", "sh", "-euc",
        """
        umask $3
        rm -rf "$2/app"
        mkdir "$2/app"
        echo b > "$2/app/b"
        echo a > "$2/app/a"
        chmod u+x "$2/app/a"
        touch -d "$4" "$2/app/a" "$2/app/b" "$2/app"
        "$1" "$2/app" "$2/$5"
        """,
        "sh", Tool.PathTo("tests/tools/archive.sh"), _work.Root, umask, time, file);

    /// <summary>A program of that name, which scripts find first. It runs where they do.</summary>
    private void Fake(string name, string script) =>
        new Tool("chmod").Run("u+x", _work.Write($"bin/{name}", $"#!/bin/sh\n{script}\n"));

    private string[] Calls() => File.ReadAllLines(_work.PathTo("calls"));

    private string Make(params string[] arguments) =>
        new Tool("env").Run(Command(["make", "--no-print-directory", "--silent", "-C", _work.Root, .. arguments]));

    private string[] Command(params string[] command) =>
        ["LC_ALL=C", $"PATH={_work.PathTo("bin")}:{Environment.GetEnvironmentVariable("PATH")}", .. command];

    [GeneratedRegex(" +")]
    private static partial Regex Spaces();
}
