{{ config(severity='warn', tags=['plausibility']) }}
-- The year's hires are at most the configured share of the opening headcount.
with

figures as (
    select
        max(value) filter (where metric = 'opening_headcount') as opening,
        max(value) filter (where metric = 'hires') as hires
    from {{ ref('fct_annual_metrics') }}
    where simulation_year = {{ param('simulation_year') }}
)

select
    opening,
    hires
from figures
where hires > opening * {{ param('maximum_hire_rate') }}
