"""A small SVG of a benchmark report: size against decode speed, one panel for each file."""
import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT, COLUMNS = 400, 300, 3
LEFT, RIGHT, TOP, BOTTOM = 52, 92, 34, 44
OURS, THEIRS = "#d1495b", "#54606e"
SPEEDS = [0.05, 0.1, 0.2, 0.5, 1, 2]
LINE = 12


def axis(low, high, start, stop, scale=float):
    """A function from values to pixels."""
    low, high = scale(low), scale(high)
    return lambda value: start + (scale(value) - low) / (high - low) * (stop - start)


def text(x, y, words, anchor="start", **style):
    attributes = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in style.items())
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{attributes}>{escape(words)}</text>'


def overlap(one, other):
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def place(points, names):
    """Where each name's text begins: beside its point (x, y), clear of points and earlier names where possible."""
    taken = [(x - 5, y - 5, x + 5, y + 5) for x, y in points]
    places = {}
    for (x, y), name in zip(points, names):
        width = 6.2 * len(name)
        spots = [(x + 8, y + 4), (x - width / 2, y - 9), (x - width / 2, y + 17), (x - width - 8, y + 4)]
        spots += [(x - width / 2, y + step * LINE) for step in (-2, 2.4, -3, 3.4, -4, 4.4)]
        boxes = [(left, base - 9, left + width, base + 2) for left, base in spots]
        free = (at for at, box in enumerate(boxes) if not any(overlap(box, other) for other in taken))
        best = next(free, 0)
        taken.append(boxes[best])
        places[name] = spots[best]
    return places


def panel(report):
    """The marks of one file, in a box of WIDTH by HEIGHT."""
    points = [(1 / row["decode"]["x_memcpy"], row["size_percent"], row["coder"], row["policy"])
              for row in report["results"]]
    speeds, sizes = [point[0] for point in points], [point[1] for point in points]
    x = axis(min(SPEEDS[0], *speeds), max(SPEEDS[-1], *speeds), LEFT, WIDTH - RIGHT, math.log)
    bottom, top = 5 * math.floor(min(sizes) / 5 - 0.6), 5 * math.ceil(max(sizes) / 5 + 0.2)
    y = axis(bottom, top, HEIGHT - BOTTOM, TOP)
    marks = [text(LEFT, TOP - 14, f"{report['file']} ({report['bytes'] / 1e6:.0f} MB)", font_weight="bold")]
    for speed in SPEEDS:
        marks.append(f'<line x1="{x(speed):.1f}" x2="{x(speed):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" class="grid"/>')
        marks.append(text(x(speed), HEIGHT - BOTTOM + 14, f"{speed:g}", "middle", fill=THEIRS))
    for size in range(bottom, top + 1, 5 if top - bottom <= 30 else 10):
        marks.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(size):.1f}" y2="{y(size):.1f}" class="grid"/>')
        marks.append(text(LEFT - 6, y(size) + 4, f"{size} %", "end", fill=THEIRS))
    marks.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, "decode speed / memcpy speed", "middle", fill=THEIRS))
    spots = [(x(speed), y(size)) for speed, size, _, _ in points]
    named = {coder: spot for spot, (_, _, coder, policy) in zip(spots, points) if policy != "strict"}
    hidden = [spot for spot in spots if spot not in named.values()]
    places = place([*named.values(), *hidden], named)
    for (left, middle), (_, _, coder, policy) in zip(spots, points):
        colour = OURS if coder.startswith("swzip") else THEIRS
        fill = "white" if policy == "strict" else colour
        marks.append(f'<circle cx="{left:.1f}" cy="{middle:.1f}" r="4" fill="{fill}" stroke="{colour}"/>')
    marks += [text(*spot, coder, fill=OURS if coder.startswith("swzip") else THEIRS) for coder, spot in places.items()]
    return marks


def draw(benchmark):
    """The whole picture."""
    reports = benchmark["files"]
    columns = min(COLUMNS, len(reports))
    width, height = WIDTH * columns, HEIGHT * math.ceil(len(reports) / columns) + 48
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
           'font-family="system-ui, sans-serif" font-size="11">',
           "<style>.grid { stroke: #e4e7eb; }</style>", '<rect width="100%" height="100%" fill="white"/>']
    for index, report in enumerate(reports):
        out.append(f'<g transform="translate({WIDTH * (index % columns)} {HEIGHT * (index // columns)})">')
        out += [*panel(report), "</g>"]
    lines = [f"{benchmark['machine']['cpu']}, one thread.", "Lower is smaller, further right is faster.",
             "swzip: filled with the loader's checks, hollow with strict ones."]
    lines = [" ".join(lines)] if columns > 1 else lines
    out += [text(LEFT, height - 10 - LINE * at, line, fill=THEIRS) for at, line in enumerate(reversed(lines))]
    return "\n".join([*out, "</svg>"]) + "\n"
