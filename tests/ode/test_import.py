"""What `import odestudy.ode` costs beside torch itself."""

import subprocess
import sys

SLOW = ("scipy", "pandas", "sklearn", "matplotlib", "torchvision", "torchdiffeq", "torch._inductor")


def test_nothing_slow_is_imported_with_the_package() -> None:
    code = (
        "import sys, torch; before = set(sys.modules); import odestudy.ode; "
        f"print([name for name in {SLOW} if name in set(sys.modules) - before])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
