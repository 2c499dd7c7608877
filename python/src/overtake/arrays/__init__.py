# SPDX-License-Identifier: MIT
"""Arrays on any processor; ``import overtake as ot`` has all of it: ``ot.mean(ot.random.uniform((1 << 20,)))``."""
