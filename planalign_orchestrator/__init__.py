"""PlanAlign Orchestrator: projects a workforce and its 401(k) plan year by year, every change an event."""
