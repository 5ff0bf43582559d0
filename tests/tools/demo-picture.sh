#!/bin/sh
# Prints the picture of the demo, as SVG, from what it wrote on a terminal: docs/images/demo.txt. Of its steps only some are shown.
#
#   tests/tools/demo-picture.sh > docs/images/demo.svg
set -eu
cd "$(dirname "$0")/../.."

awk -v steps=' 3 6 7 10 ' '
  function escaped(text) { gsub(/&/, "\\&amp;", text); gsub(/</, "\\&lt;", text); gsub(/>/, "\\&gt;", text); return text }

  # A line of the terminal as text elements: what is between two escape sequences is of one class.
  function drawn(line,   code, part, parts, i, end, class) {
    code = escaped(line)
    parts = split(code, part, "\033\\[")
    code = part[1]
    for (i = 2; i <= parts; i++) {
      end = index(part[i], "m")
      class = substr(part[i], 1, end - 1)
      code = code (class == "0" ? "</tspan>" : "<tspan class=\"c" class "\">") substr(part[i], end + 1)
    }
    return code
  }

  function show(line) { lines[++count] = line }

  { all[NR] = $0 }

  END {
    shown = 1
    # Where steps are left out, a line says so.
    for (i = 1; i <= NR; i++) {
      if (match(all[i], /^\033\[1m[0-9]+\. /)) {
        step = substr(all[i], 5) + 0
        was = shown
        shown = index(steps, " " step " ")
        if (!shown && was) { show("\033[2m   …\033[0m"); show("") }
      }
      if (i == NR) shown = 1
      if (shown) show(all[i])
    }
    height = count * 18 + 32
    print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 860 " height "\" role=\"img\" aria-labelledby=\"title\">"
    print "  <title id=\"title\">What make demo writes, some of its steps</title>"
    print "  <style>"
    print "    text { font: 13px ui-monospace, \"DejaVu Sans Mono\", monospace; fill: #1f2328; white-space: pre }"
    print "    rect { fill: #f6f8fa; stroke: #d1d9e0 }"
    print "    .c1 { font-weight: 600 }"
    print "    .c2 { fill: #59636e }"
    print "    .c31 { fill: #d1242f }"
    print "    .c32 { fill: #1a7f37 }"
    print "    @media (prefers-color-scheme: dark) {"
    print "      text { fill: #f0f6fc }"
    print "      rect { fill: #0d1117; stroke: #3d444d }"
    print "      .c2 { fill: #9198a1 }"
    print "      .c31 { fill: #f85149 }"
    print "      .c32 { fill: #3fb950 }"
    print "    }"
    print "  </style>"
    print "  <rect x=\"0.5\" y=\"0.5\" width=\"859\" height=\"" height - 1 "\" rx=\"8\"/>"
    for (i = 1; i <= count; i++)
      if (lines[i] != "")
        print "  <text x=\"20\" y=\"" i * 18 + 16 "\" xml:space=\"preserve\">" drawn(lines[i]) "</text>"
    print "</svg>"
  }' docs/images/demo.txt
