# Writes the verdict down and goes on: what it means for the job is decided when reports and comment are out.
set -uo pipefail
options=(--policy "$POLICY" --records runs --junit gate.xml --sarif gate.sarif)
[[ -n "$BASELINE" ]] && options+=(--baseline "$BASELINE")
if [[ -n "$ARGUMENTS" ]]; then
  while IFS= read -r -d '' word; do options+=("$word"); done < <(
    python -c 'import shlex, sys; sys.stdout.write("".join(word + "\0" for word in shlex.split(sys.argv[1])))' "$ARGUMENTS"
  )
fi
harness gate "$RUN_ID" "${options[@]}" --markdown > gate.md 2> gate.log
code=$?
cat gate.log >&2
# Where nothing could be judged, the comment says why.
if [[ ! -s gate.md ]]; then
  { printf '## ERROR\n\n'; sed 's/^/    /' gate.log; } > gate.md
fi
case $code in
  0) verdict=PASS ;;
  1) verdict=FAIL ;;
  3) verdict=INCONCLUSIVE ;;
  *) verdict=ERROR ;;
esac
echo "verdict=$verdict" >> "$GITHUB_OUTPUT"
cat gate.md
