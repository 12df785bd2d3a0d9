# Reads `go test -v`: prints one line per package, the whole story of a package
# that fails, and writes skipped tests with their reason to the file `skipped`.
/^ok  ?\t/ { print; forget(); next }
/^\?   \t/ || /\[no test files\]/ || /\[no tests to run\]/ { forget(); next }
/^FAIL\t/ {
  for (i = 0; i < n; i++) if (kept[i] !~ /^(=== (RUN|PAUSE|CONT|NAME)| *--- PASS)/) print kept[i]
  print; bad = 1; forget(); next
}
/^ *--- SKIP: TestRecord/ { next } # writes files on demand (make record), tests nothing
/^ *--- SKIP: / {
  # The reason stands on the line before it or, for a subtest, after it.
  name = $3; reason = ""
  for (i = n - 1; i >= 0 && i > n - 4; i--) if (kept[i] ~ /^ +[^ ]+_test\.go:[0-9]+: /) { reason = kept[i]; break }
  waiting = name
  if (reason != "") report(reason)
  next
}
waiting != "" && /^ +[^ ]+\.go:[0-9]+: / { report($0) }
/^# / { bad = 1 } # the compiler has something to say
{ kept[n++] = $0 }
END { for (i = 0; i < n; i++) if (bad && kept[i] != "FAIL") print kept[i]; exit bad }

function report(text) {
  sub(/^ +[^ ]+\.go:[0-9]+: /, "", text)
  print text " (" waiting ")" >> skipped
  waiting = ""
}
function forget() { n = 0; waiting = "" }
