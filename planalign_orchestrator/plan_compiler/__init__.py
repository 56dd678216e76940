"""The model as a plan: compiled once per version of the dbt project, so that a run needs neither dbt nor its start-up.

`plan` says what a plan is, `loading` finds or makes one, `compiling` makes it from `sources` and refuses (`refusing`)
whatever would make the native engine and dbt disagree.
"""

from planalign_orchestrator.plan_compiler.loading import load_plan
from planalign_orchestrator.plan_compiler.plan import STAGES, Column, DataTest, Model, Parameter, Plan, literal

__all__ = ["STAGES", "Column", "DataTest", "Model", "Parameter", "Plan", "literal", "load_plan"]
