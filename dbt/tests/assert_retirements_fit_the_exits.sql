{{ config(severity='warn', tags=['information']) }}
-- Exact mode: announced exits, deaths, disability and retirements are at most the exits of the configured rate.
with

figures as (
    select
        max(value) filter (where metric = 'opening_headcount') as opening,
        max(value) filter (where metric = 'announced_terminations') as announced,
        sum(value) filter (where metric in ('deaths', 'disabilities')) as deaths_and_disabilities,
        max(value) filter (where metric = 'retirements') as retirements
    from {{ ref('fct_annual_metrics') }}
    where simulation_year = {{ param('simulation_year') }}
)

select
    announced,
    deaths_and_disabilities,
    retirements,
    round(opening * {{ param('total_termination_rate') }}, 0) as exits_of_the_rate
from figures
where
    {{ param('headcount_mode') }} = 'exact'
    and deaths_and_disabilities + retirements > 0
    and announced + deaths_and_disabilities + retirements
    > round(opening * {{ param('total_termination_rate') }}, 0)
