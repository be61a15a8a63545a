"""How the page of a conversation looks: in light and in dark, on a screen and on paper."""

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #fbfaf8; --card: #ffffff; --ink: #22252a; --quiet: #6a7078; --line: #e4e2dd; --code: #f4f2ee;
  --link: #1558b0;
  --human: #2f7d4f; --ai: #3a5fc8; --system: #8a4fb0; --tool: #a86a10; --poison: #b3372f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15171a; --card: #1d2024; --ink: #e3e5e8; --quiet: #979ea7; --line: #2e3238; --code: #262a2f;
    --link: #8ab4f8;
    --human: #6cc08f; --ai: #8fabff; --system: #c99ae8; --tool: #e0ac5c; --poison: #f08a80;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; padding: 2.5rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
header.page, main, footer.page { max-width: 46rem; margin: 0 auto; }
header.page { margin-bottom: 2rem; }
header.page h1 {
  margin: 0 0 .25rem; font-size: 1.6rem; line-height: 1.25; letter-spacing: -.01em; overflow-wrap: anywhere;
}
header.page p, footer.page p { margin: 0; color: var(--quiet); font-size: .85rem; overflow-wrap: anywhere; }
footer.page { margin-top: 2rem; }
article {
  margin: 0 0 1rem; padding: .8rem 1.1rem .9rem; background: var(--card);
  border: 1px solid var(--line); border-left: 4px solid var(--who); border-radius: 8px;
  overflow-wrap: anywhere;
}
article:target { outline: 2px solid var(--who); outline-offset: 2px; }
.human { --who: var(--human); }
.ai { --who: var(--ai); }
.system { --who: var(--system); }
.tool, .function { --who: var(--tool); }
.chat { --who: var(--quiet); }
.poison { --who: var(--poison); }
article > header {
  display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 .8rem;
  margin-bottom: .3rem; font-size: .82rem;
}
.who { color: var(--who); font-weight: 650; }
article > header time, article > header a { color: var(--quiet); font-variant-numeric: tabular-nums; }
article > header a { margin-left: auto; text-decoration: none; }
article > header a:hover { text-decoration: underline; }
a { color: var(--link); }
.text > :first-child, article > p { margin-top: 0; }
.text > :last-child, article > p:last-child { margin-bottom: 0; }
.text + .text, .text + details, details + .text, details + details, .picture + .text { margin-top: .7rem; }
.text h1, .text h2, .text h3, .text h4, .text h5, .text h6 {
  margin: 1.1em 0 .4em; font-size: 1.08rem; line-height: 1.35;
}
.text h1 { font-size: 1.25rem; }
.text h2 { font-size: 1.15rem; }
p, ul, ol, blockquote, table, pre { margin: .6em 0; }
ul, ol { padding-left: 1.5rem; }
blockquote { margin-left: 0; padding-left: .9rem; border-left: 3px solid var(--line); color: var(--quiet); }
hr { border: 0; border-top: 1px solid var(--line); margin: 1.2em 0; }
code, pre { font: .875em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; }
code { padding: .1em .3em; background: var(--code); border-radius: 4px; }
pre {
  padding: .7rem .9rem; background: var(--code); border-radius: 6px;
  white-space: pre-wrap; overflow-wrap: anywhere;
}
pre code { padding: 0; background: none; font-size: 1em; }
table { border-collapse: collapse; font-size: .93em; }
th, td { padding: .3em .7em; border: 1px solid var(--line); text-align: left; vertical-align: top; }
th { background: var(--code); }
.to-right { text-align: right; }
.to-center { text-align: center; }
details { font-size: .92rem; }
details > summary { cursor: pointer; color: var(--quiet); }
details > summary b { color: var(--who); font-weight: 600; }
details > pre { margin: .4rem 0 0; font-size: .82rem; }
.rest { margin-top: .6rem; font-size: .8rem; }
.picture { color: var(--quiet); }
img { display: block; max-width: 100%; max-height: 32rem; margin: .5rem 0; border-radius: 6px; }
.empty { color: var(--quiet); font-style: italic; }
@media print {
  :root {
    --paper: #fff; --card: #fff; --ink: #000; --quiet: #444; --line: #bbb; --code: #f3f3f3; --link: #000;
    --human: #2f7d4f; --ai: #3a5fc8; --system: #8a4fb0; --tool: #8a5a10; --poison: #b3372f;
  }
  body { padding: 0; font-size: 10.5pt; }
  article > header { break-after: avoid; }
  pre, table, img { break-inside: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; }
  .rest { display: none; }
}
"""
