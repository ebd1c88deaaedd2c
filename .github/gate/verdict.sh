set -euo pipefail
case "$VERDICT" in
  PASS) ;;
  INCONCLUSIVE)
    if [[ "$FAIL_ON" == inconclusive ]]; then exit 3; fi
    echo "::warning::The gate is INCONCLUSIVE: gate.md says what would settle it"
    ;;
  FAIL) exit 1 ;;
  *) exit 2 ;;
esac
