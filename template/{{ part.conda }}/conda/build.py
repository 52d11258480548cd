"""Checks recipe.yaml, and builds it from the channels, if any: build.py REQUIREMENTS [CHANNEL...]."""

import sys
from pathlib import Path

from rattler_build import RattlerBuildError, Stage0Recipe, ToolConfiguration, VariantConfig
from rattler_build.progress import SimpleProgressCallback

REQUIREMENTS, CHANNELS = sys.argv[1].split(), sys.argv[2:]
FOLDER = Path(__file__).parent

try:
    recipe = Stage0Recipe.from_file(FOLDER / "recipe.yaml")
    variants = recipe.render(VariantConfig.from_file(FOLDER / "variants.yaml"))
    for variant in variants:
        specs = variant.recipe.to_dict()["requirements"]["host"]
        names = {str(spec).partition(" ")[0] for spec in specs}
        if missing := ", ".join(name for name in REQUIREMENTS if name not in names):
            sys.exit(f"the host requirements in conda/recipe.yaml lack {missing}: add it")
        if CHANNELS:
            built = variant.run_build(
                ToolConfiguration(test_strategy="native"),
                output_dir="build/conda",
                channels=CHANNELS,
                progress_callback=SimpleProgressCallback(),
            )
            print(*built.packages, sep="\n")
except RattlerBuildError as error:
    sys.exit(f"conda/recipe.yaml: {error}")
