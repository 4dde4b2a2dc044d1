# Sourced by `benches/compare` and `benches/scatter`, in the folder above: sets COMPARE_PYTHON to a Python
# with the pinned packages, or COMPARE_NO_PYTHON to why there is none.

# A Python of its own with the pinned packages: made once, beside what cargo makes.
venv="$(cd "${CARGO_TARGET_DIR:-target}" && pwd)/python"
case "${COMPARE_PYTHON:-}" in
    none) COMPARE_NO_PYTHON="it was not asked for"; unset COMPARE_PYTHON ;;
    "")
        unset COMPARE_PYTHON
        if ! cmp -s python/requirements.txt "$venv/requirements.txt"; then
            rm -rf "$venv"
            if ! command -v python3 >/dev/null; then
                COMPARE_NO_PYTHON="python3 is not installed on this machine"
            elif ! python3 -m venv "$venv" >/dev/null 2>&1; then
                COMPARE_NO_PYTHON="python3 has no venv on this machine"
            elif ! "$venv/bin/pip" install -q --retries 1 --timeout 30 -r python/requirements.txt; then
                COMPARE_NO_PYTHON="pip could not install python/requirements.txt"
            else
                cp python/requirements.txt "$venv/requirements.txt"
            fi
        fi
        if [ -f "$venv/requirements.txt" ]; then COMPARE_PYTHON="$venv/bin/python"; fi
        ;;
esac
export COMPARE_PYTHON="${COMPARE_PYTHON:-}" COMPARE_NO_PYTHON="${COMPARE_NO_PYTHON:-}"
