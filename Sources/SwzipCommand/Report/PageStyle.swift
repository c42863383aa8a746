internal import Swzip

/// What pages look like, and what their script adds. They say all without either.
enum PageStyle {
  /// A page that refers to nothing outside.
  static func page(_ title: String, _ body: HTML) -> HTML {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="\(policy)">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(title)</title>
    <style>\(HTML(markup: css))</style>
    </head>
    <body>
    <main>
    <h1>\(title)</h1>
    \(body)
    </main>
    <footer>Made by swzip \(swzipVersion.description).</footer>
    <script>\(HTML(markup: script))</script>
    </body>
    </html>

    """
  }

  /// Nothing may be fetched, and nothing else may run, whatever names say.
  private static let policy: HTML = """
    default-src 'none'; style-src \(HTML(hashOf: css)); script-src \(HTML(hashOf: script)); base-uri 'none'; \
    form-action 'none'
    """

  /// Sizes are lengths, never colours alone: the original is an outline, what is packed fills it.
  static let css = """
    :root { color-scheme: light dark; --paper: #fff; --ink: #1c1f24; --soft: #5b626d; --line: #dde1e6; --edge: #6f7884;
      --fill: #2b66a8; --mark: #f4f6f8 }
    @media (prefers-color-scheme: dark) { :root { --paper: #15181c; --ink: #e5e8ec; --soft: #a6aeb9; --line: #343a43;
      --edge: #8f98a4; --fill: #82b4ea; --mark: #1e2228 } }
    @media (forced-colors: active) { :root { --fill: CanvasText; --edge: CanvasText } }
    * { box-sizing: border-box }
    body { margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 66rem; background: var(--paper); color: var(--ink);
      font: 1rem/1.5 system-ui, sans-serif }
    main { container-type: inline-size }
    h1, h2, p, dl, dd, figure { margin: 0 }
    h1 { font-size: 1.6rem; line-height: 1.25; overflow-wrap: anywhere }
    h2 { margin: 3rem 0 .5rem; font-size: 1.15rem; line-height: 1.3 }
    .sum { margin: .25rem 0 1rem; font-size: 1.15rem }
    .note, small, footer { color: var(--soft); font-size: .875rem }
    dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .1rem 1.25rem; margin-top: 1.25rem }
    dt { color: var(--soft) }
    code, dd { overflow-wrap: anywhere }
    code { font: .875em/1.4 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; unicode-bidi: isolate }
    .wide { overflow-x: auto }
    table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums }
    th, td { padding: .35rem 0 .35rem 1.25rem; text-align: right; vertical-align: top; font-weight: normal;
      white-space: nowrap; border-bottom: 1px solid var(--line) }
    th:first-child { width: 100%; min-width: 9rem; padding-left: 0; text-align: left; white-space: normal }
    .words { text-align: left }
    thead th { color: var(--soft); font-size: .875rem; vertical-align: bottom }
    tfoot tr > * { border-bottom: 0; font-weight: 600 }
    th small { display: inline-block; margin-left: .6rem }
    svg { display: block; overflow: visible }
    .bar { width: 100cqi; height: .6rem; margin: .2rem calc(7rem - 100cqi) .1rem 0 }
    .cell { width: 4rem; height: .5rem; margin-left: auto }
    .whole { width: 100%; height: 1.4rem; margin: 0 0 .4rem }
    .columns { height: 9rem; max-width: calc(100% - 1.5rem); margin: 1rem .75rem .25rem }
    rect { fill: none; stroke: var(--edge); stroke-width: 1 }
    rect + rect { fill: var(--fill); stroke: none }
    text { fill: var(--soft); font-size: .75rem; text-anchor: middle }
    figure + figure { margin-top: 1.5rem }
    summary { padding: .35rem 0; color: var(--soft); cursor: pointer }
    label { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem .75rem; margin: .75rem 0 }
    input { width: 24rem; max-width: 100%; padding: .3rem .5rem; border: 1px solid var(--edge);
      border-radius: .25rem; background: var(--paper); color: inherit; font: inherit }
    thead button { padding: 0; border: 0; background: none; color: inherit; font: inherit; cursor: pointer }
    thead button:hover { text-decoration: underline }
    [aria-sort] button::after { content: " ↓" }
    [aria-sort=ascending] button::after { content: " ↑" }
    :focus-visible { outline: 2px solid var(--fill); outline-offset: 2px }
    tbody tr:hover { background: var(--mark) }
    footer { margin-top: 3rem }
    @media (max-width: 40rem) { body { padding: 1.25rem 1rem 2rem } table { font-size: .875rem }
      th, td { padding-left: .75rem } th:first-child { min-width: 7rem }
      th small { display: block; margin: 0 } dl { display: block } dd { margin-bottom: .4rem } }
    @media print { :root { color-scheme: light; --paper: #fff; --ink: #000; --soft: #333; --line: #bbb; --edge: #000;
      --fill: #444; font-size: 80% } body { padding: 0 1px } .wide { overflow: visible } label, summary { display: none }
      details::details-content { content-visibility: visible; block-size: auto }
      tr, figure { break-inside: avoid } h2 { break-after: avoid } }
    """

  /// Sorts and filters the table of tensors.
  static let script = """
    const table = document.querySelector("#tensors table"), body = table?.tBodies[0], rows = [...body?.rows ?? []];
    const number = (row, column) => parseFloat(row.cells[column].textContent.replaceAll(",", ""));
    const isNumber = column => column >= 1 && column <= 3;
    function sort(head, column) {
      const down = head.ariaSort ? head.ariaSort == "ascending" : isNumber(column);
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.ariaSort = down ? "descending" : "ascending";
      const order = isNumber(column)
        ? (a, b) => (number(a, column) || 0) - (number(b, column) || 0)
        : (a, b) => a.cells[column].textContent.localeCompare(b.cells[column].textContent, "en", { numeric: true });
      rows.sort((a, b) => down ? order(b, a) : order(a, b));
      body.append(...rows);
    }
    for (const [column, head] of [...table?.tHead.rows[0].cells ?? []].entries()) {
      const button = document.createElement("button");
      button.append(...head.childNodes);
      button.onclick = () => sort(head, column);
      head.append(button);
    }
    if (table) {
      const label = document.createElement("label"), input = document.createElement("input");
      const found = document.createElement("output");
      input.type = "search";
      input.placeholder = "attention weight F32";
      label.append("Filter", input);
      table.parentElement.before(label, found);
      input.oninput = () => {
        const words = input.value.toLowerCase().split(/\\s+/);
        const kept = rows.filter(row => {
          const text = row.textContent.toLowerCase();
          return !(row.hidden = !words.every(word => text.includes(word)));
        });
        const sum = column => kept.reduce((sum, row) => sum + number(row, column), 0).toLocaleString("en");
        found.textContent = `${kept.length} tensors: ${sum(1)} bytes, packed to ${sum(2)}`;
      };
    }
    """
}
