-- Key figures are what they can be: counts are whole and not negative, amounts not negative (what is lost to timing may
-- be), rates from 0 to 1, changes not below -1.
select
    metric,
    value,
    unit
from {{ ref('fct_annual_metrics') }}
where
    simulation_year = {{ param('simulation_year') }}
    and case
        when unit in ('people', 'events') then not coalesce(value >= 0 and value = floor(value), false)
        when unit = 'rate' and (metric like '%growth%' or metric = 'realised_merit_rate') then value < -1
        when unit = 'rate' then value not between 0 and 1
        else value < 0 and metric <> 'match_lost_to_timing'
    end
