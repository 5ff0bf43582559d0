using System.Security.Cryptography;
using System.Text;

namespace HostGw.Status.Page;

/// <summary>Style and script of the page, and the policy that makes a browser accept these and no others.</summary>
internal static class PageFrame
{
    // Light or dark as the reader's system is. Every colour has a contrast of at least 4.5 on its background.
    private const string Style = """
        :root{color-scheme:light dark;--back:#fff;--text:#1b1f24;--faint:#59636e;--line:#c9d1d9;
        --good:#116329;--warning:#7d4e00;--error:#b3141d;--box:#f3f5f7}
        @media(prefers-color-scheme:dark){:root{--back:#0f1318;--text:#e6edf3;--faint:#9da7b1;--line:#3d444d;
        --good:#56d364;--warning:#e3b341;--error:#ff8f87;--box:#1b2128}}
        *{box-sizing:border-box}
        body{margin:0 auto;padding:1rem;max-width:75rem;background:var(--back);color:var(--text);
        font:1rem/1.45 system-ui,sans-serif;overflow-wrap:anywhere}
        h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:1.8rem 0 .5rem}
        header p{margin:.2rem 0 0;color:var(--faint)}a{color:inherit}code{font-family:ui-monospace,monospace;font-size:.92em}
        .good{color:var(--good)}.warning{color:var(--warning)}.error{color:var(--error)}.neutral,.age,footer{color:var(--faint)}
        #stale{border:2px solid;padding:.5rem;font-weight:bold}ul.problems{padding:0;list-style:none;margin:0}
        ul.problems li{border-left:.3rem solid var(--warning);background:var(--box);padding:.5rem .8rem;margin:.4rem 0}
        ul.problems li.e{border-color:var(--error)}.cure{display:block;color:var(--faint)}
        table{border-collapse:collapse;width:100%;font-size:.93rem}caption{text-align:left;color:var(--faint);padding:.2rem 0}
        th,td{text-align:left;vertical-align:top;padding:.25rem .8rem .25rem 0;
        border-bottom:1px solid var(--line);overflow-wrap:break-word}
        th{font-weight:600}td.word,td.word *{white-space:nowrap;overflow-wrap:normal}.scroll{overflow-x:auto}
        dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:0}dt{color:var(--faint)}dd{margin:0}
        svg{display:block;width:100%;height:auto;max-height:32rem}svg text{font:13px system-ui,sans-serif;fill:var(--text)}
        svg .small{font-size:11px;fill:var(--faint)}svg rect{fill:var(--box);stroke:currentColor;stroke-width:1.5}
        svg line{stroke:currentColor;stroke-width:2}svg .dashed{stroke-dasharray:3 5}svg .own{color:var(--faint)}
        svg .bar{fill:currentColor;stroke:none}
        input,button{font:inherit;color:inherit;background:var(--box);border:1px solid var(--line);padding:.2rem .5rem}
        """;

    // Loads the page again and replaces the parts that changed. If the agent's version changed, the whole page is reloaded.
    private const string Script = """
        (() => {
          const stale = document.getElementById('stale');
          async function refresh() {
            try {
              if (!document.hidden) await update();
              stale.hidden = true;
            } catch {
              if (stale.hidden) {
                const time = new Date().toISOString().slice(11, 19);
                stale.textContent = `The agent has not answered since ${time} UTC. What is shown below is from before.`;
              }
              stale.hidden = false;
            }
            setTimeout(refresh, 2000);
          }
          async function update() {
            const answer = await fetch(location.href, { cache: 'no-store', signal: AbortSignal.timeout(5000) });
            if (!answer.ok) throw answer;
            const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
            if (fresh.documentElement.dataset.version !== document.documentElement.dataset.version) return location.reload();
            document.title = fresh.title;
            for (const old of document.querySelectorAll('[data-live]')) {
              const now = fresh.getElementById(old.id);
              if ((now ? now.innerHTML : '') !== old.innerHTML) old.replaceChildren(...(now ? now.childNodes : []));
            }
          }
          setTimeout(refresh, 2000);
        })();
        """;

    /// <summary>The value of the Content-Security-Policy header.</summary>
    public static string SecurityPolicy { get; } =
        $"default-src 'none'; style-src '{Hash(Style)}'; script-src '{Hash(Script)}'; connect-src 'self'; img-src data:; " +
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    /// <summary>Without JavaScript the browser reloads the page every 5 seconds.</summary>
    public static void AddStyleAndRefresh(Html html) =>
        html.Add($"<style>{new RawHtml(Style)}</style>\n<noscript><meta http-equiv=refresh content=5></noscript>\n");

    public static void AddScript(Html html) => html.Add($"<script>{new RawHtml(Script)}</script>\n");

    private static string Hash(string text) => $"sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}";
}

/// <summary>How the page shows a state: by a colour and a sign, so that nobody depends on the colour.</summary>
internal sealed record StateStyle(string Class, string Sign)
{
    public static StateStyle Good { get; } = new("good", "✓");

    /// <summary>On purpose: excluded or switched off.</summary>
    public static StateStyle Neutral { get; } = new("neutral", "–");

    /// <summary>Often over without help.</summary>
    public static StateStyle Warning { get; } = new("warning", "…");

    public static StateStyle Error { get; } = new("error", "✗");

    public static StateStyle Of(PeerState state) => state switch
    {
        PeerState.Self or PeerState.Installed or PeerState.Tunnelled or PeerState.RoutedByNetwork => Good,
        PeerState.Skipped => Neutral,
        PeerState.NoPodCidr or PeerState.Waiting or PeerState.Held => Warning,
        _ => Error,
    };

    public static StateStyle Of(RuleState state) => state switch
    {
        RuleState.Applied => Good,
        RuleState.Failed => Error,
        RuleState.Held => Warning,
        _ => Neutral,
    };

    public static StateStyle Of(CniState state) => state switch
    {
        CniState.Applied => Good,
        CniState.Failed => Error,
        CniState.Waiting => Warning,
        _ => Neutral,
    };
}
