-- This year's pay range of every job level: the ends of the parameter table times the structure factor, to cents.
select
    levels.level_id,
    round(levels.range_minimum::decimal(38, 2) * calendar.structure_factor, 2)::decimal(18, 2) as range_minimum,
    round(levels.range_maximum::decimal(38, 2) * calendar.structure_factor, 2)::decimal(18, 2) as range_maximum
from {{ parameters('job_levels') }} as levels
cross join {{ ref('stg_calendar') }} as calendar
