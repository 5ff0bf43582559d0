using System.Security.Cryptography;
using System.Text;

namespace HostGw.Status.Page;

/// <summary>Style and script of the page, and the policy by which a browser takes these and no others.</summary>
internal static class PageFrame
{
    // Dark or light as the reader's system is; every colour on its background has a contrast of 4.5 or more.
    private const string Style = """
        :root{color-scheme:light dark;--back:#fff;--text:#1b1f24;--faint:#59636e;--line:#c9d1d9;--good:#116329;--waits:#7d4e00;--wrong:#b3141d;--box:#f3f5f7}
        @media(prefers-color-scheme:dark){:root{--back:#0f1318;--text:#e6edf3;--faint:#9da7b1;--line:#3d444d;--good:#56d364;--waits:#e3b341;--wrong:#ff8f87;--box:#1b2128}}
        *{box-sizing:border-box}body{margin:0 auto;padding:1rem;max-width:75rem;background:var(--back);color:var(--text);font:1rem/1.45 system-ui,sans-serif;overflow-wrap:anywhere}
        h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:1.8rem 0 .5rem}header p{margin:.2rem 0 0;color:var(--faint)}a{color:inherit}code{font-family:ui-monospace,monospace;font-size:.92em}
        .good{color:var(--good)}.waits{color:var(--waits)}.wrong{color:var(--wrong)}.asked,.age,footer,.hint{color:var(--faint)}
        #stale{border:2px solid;padding:.5rem;font-weight:bold}ul.complaints{padding:0;list-style:none;margin:0}ul.complaints li{border-left:.3rem solid var(--waits);background:var(--box);padding:.5rem .8rem;margin:.4rem 0}
        ul.complaints li.w{border-color:var(--wrong)}.cure{display:block;color:var(--faint)}
        table{border-collapse:collapse;width:100%;font-size:.93rem}caption{text-align:left;color:var(--faint);padding:.2rem 0}th,td{text-align:left;vertical-align:top;padding:.25rem .8rem .25rem 0;border-bottom:1px solid var(--line);overflow-wrap:break-word}
        th{font-weight:600}td.word,td.word *{white-space:nowrap;overflow-wrap:normal}.scroll{overflow-x:auto}dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:0}dt{color:var(--faint)}dd{margin:0}
        svg{display:block;width:100%;height:auto;max-height:32rem}svg text{font:13px system-ui,sans-serif;fill:var(--text)}svg .small{font-size:11px;fill:var(--faint)}svg rect{fill:var(--box);stroke:currentColor;stroke-width:1.5}
        svg line{stroke:currentColor;stroke-width:2}svg .dashed{stroke-dasharray:3 5}svg .none{color:var(--faint)}svg .bar{fill:currentColor;stroke:none}input,button{font:inherit;color:inherit;background:var(--box);border:1px solid var(--line);padding:.2rem .5rem}
        """;

    // Fetches the page anew and puts in what has changed, so that there is one way to show a thing. Another version is loaded whole.
    private const string Script = """
        (() => {
          const stale = document.getElementById('stale');
          async function look() {
            try {
              if (!document.hidden) await renew();
              stale.hidden = true;
            } catch {
              if (stale.hidden) stale.textContent = 'No answer from the agent since ' + new Date().toISOString().slice(11, 19) + ' UTC. What you see below is from before.';
              stale.hidden = false;
            }
            setTimeout(look, 2000);
          }
          async function renew() {
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
          setTimeout(look, 2000);
        })();
        """;

    /// <summary>Of the Content-Security-Policy header.</summary>
    public static string Policy { get; } =
        $"default-src 'none'; style-src '{Hash(Style)}'; script-src '{Hash(Script)}'; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    public static void AddStyleAndRefresh(Html html) => html.Add($"<style>{new Own(Style)}</style>\n<noscript><meta http-equiv=refresh content=5></noscript>\n");

    public static void AddScript(Html html) => html.Add($"<script>{new Own(Script)}</script>\n");

    private static string Hash(string text) => $"sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}";
}

/// <summary>Markup of ours, to be written as it is.</summary>
internal readonly record struct Own(string Markup);
