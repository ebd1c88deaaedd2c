# The run to compare with: a folder, here, on a branch, or in an artifact of an earlier run of this workflow.
set -euo pipefail
folder="$BASELINE"
if [[ -n "$BASELINE_ARTIFACT" ]]; then
  branch="${BASELINE_BRANCH:-$DEFAULT_BRANCH}"
  newest="$(gh run list --repo "$GITHUB_REPOSITORY" --workflow "$GITHUB_WORKFLOW" --branch "$branch" --status success \
    --limit 1 --json databaseId --jq '.[].databaseId')"
  if [[ -z "$newest" ]]; then
    echo "::error::no run of this workflow on $branch has succeeded, so there is no artifact $BASELINE_ARTIFACT yet"
    exit 2
  fi
  gh run download "$newest" --repo "$GITHUB_REPOSITORY" --name "$BASELINE_ARTIFACT" --dir baseline-runs
  if [[ -n "$BASELINE" ]]; then
    folder="baseline-runs/$BASELINE"
  else
    mapfile -t found < <(find baseline-runs -name seal.json)
    if (( ${#found[@]} != 1 )); then
      echo "::error::the artifact $BASELINE_ARTIFACT holds ${#found[@]} runs. Say which with baseline: runs/ID"
      exit 2
    fi
    folder="$(dirname "${found[0]}")"
  fi
elif [[ -n "$BASELINE_BRANCH" && -n "$BASELINE" ]]; then
  git fetch --quiet --depth 1 origin "refs/heads/$BASELINE_BRANCH"
  mkdir -p baseline-runs
  git archive FETCH_HEAD "$BASELINE" | tar -x -C baseline-runs
  folder="baseline-runs/$BASELINE"
fi
if [[ -n "$folder" && ! -f "$folder/seal.json" ]]; then
  echo "::error::$folder is not a finished run"
  exit 2
fi
echo "folder=$folder" >> "$GITHUB_OUTPUT"
