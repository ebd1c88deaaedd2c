# Inputs are data: none of them is ever read as a program.
set -euo pipefail
options=(--model "$MODEL" --dtype "$DTYPE" --device "$DEVICE" --meter "$METER")
[[ -n "$SUITE" && -z "$TASK" ]] && options+=(--suite "$SUITE")
if [[ -n "$TASK" ]]; then
  IFS=, read -ra tasks <<< "$TASK"
  for task in "${tasks[@]}"; do options+=(--task "$task"); done
fi
[[ -n "$LIMIT" ]] && options+=(--limit "$LIMIT")
[[ -n "$BASE" ]] && options+=(--base "$BASE")
[[ "$CHAT" == true ]] && options+=(--apply-chat-template)
if [[ -n "$ARGUMENTS" ]]; then
  while IFS= read -r -d '' word; do options+=("$word"); done < <(
    python -c 'import shlex, sys; sys.stdout.write("".join(word + "\0" for word in shlex.split(sys.argv[1])))' "$ARGUMENTS"
  )
fi
harness eval "${options[@]}" --out runs --json > run.json
echo "run-id=$(python -c 'import json; print(json.load(open("run.json"))["run_id"])')" >> "$GITHUB_OUTPUT"
