# One comment for each model and suite, written anew each time.
set -euo pipefail
marker="<!-- harness-gate $(printf '%s' "$MODEL $SUITE" | sha256sum | cut -c 1-16) -->"
run="$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID"
{
  echo "$marker"
  printf 'Model `%s`, suite `%s`\n\n' "${MODEL//\`/}" "${SUITE//\`/}"
  cat gate.md
  printf '\n[Job, with the report and the whole run as artifacts](%s)\n' "$run"
} > comment.md
known="$(gh api --paginate "repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments" \
  --jq ".[] | select(.body | startswith(\"$marker\")) | .id" | head -n 1)"
if [[ -n "$known" ]]; then
  gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$known" --field body=@comment.md
else
  gh api --silent --method POST "repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments" --field body=@comment.md
fi
