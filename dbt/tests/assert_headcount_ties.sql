-- opening + acquired - terminations - layoffs + hires - new-hire terminations = closing, the opening is last year's
-- closing or the census, and in exact mode the closing is the target.
with

figures as (
    select
        max(value) filter (where metric = 'opening_headcount') as opening,
        max(value) filter (where metric = 'terminations') as terminations,
        max(value) filter (where metric = 'layoffs') as layoffs,
        max(value) filter (where metric = 'acquired') as acquired,
        max(value) filter (where metric = 'hires') as hires,
        max(value) filter (where metric = 'new_hire_terminations') as new_hire_terminations,
        max(value) filter (where metric = 'closing_headcount') as closing,
        max(value) filter (where metric = 'target_headcount') as target
    from {{ ref('fct_annual_metrics') }}
    where simulation_year = {{ param('simulation_year') }}
),

expected as (
    select count(*) as opening
    from {{ source('inputs', 'census') }}
    where
        is_simulated
        and {{ param('simulation_year') }} = {{ param('start_year') }}
    union all
    select max(value) as opening
    from {{ ref('fct_annual_metrics') }}
    where
        simulation_year = {{ param('simulation_year') }} - 1
        and metric = 'closing_headcount'
        and {{ param('simulation_year') }} > {{ param('start_year') }}
),

opening as (
    select sum(opening) as expected_opening
    from expected
)

select
    figures.opening,
    opening.expected_opening,
    figures.terminations,
    figures.layoffs,
    figures.acquired,
    figures.hires,
    figures.new_hire_terminations,
    figures.closing,
    figures.target
from figures
cross join opening
where
    figures.opening is distinct from opening.expected_opening
    or figures.opening + figures.acquired - figures.terminations - figures.layoffs + figures.hires
    - figures.new_hire_terminations
    is distinct from figures.closing
    or (
        {{ param('headcount_mode') }} = 'exact'
        and figures.closing is distinct from figures.target
    )
