# A pull request is judged by the policy of its base branch, so that it can't loosen its own gate.
set -euo pipefail
if [[ "$POLICY" == default || "$POLICY" == strict || "$POLICY_FROM" == head || -z "${GITHUB_BASE_REF:-}" ]]; then
  exit 0
fi
git fetch --quiet --depth 1 origin "refs/heads/$GITHUB_BASE_REF"
if ! git cat-file -e "FETCH_HEAD:./$POLICY" 2>/dev/null; then
  echo "::error::$POLICY is not on the base branch $GITHUB_BASE_REF. Merge it there first, or set policy-from: head"
  exit 2
fi
git show "FETCH_HEAD:./$POLICY" > "$POLICY.of-base"
mv "$POLICY.of-base" "$POLICY"
echo "The policy $POLICY is that of $GITHUB_BASE_REF"
