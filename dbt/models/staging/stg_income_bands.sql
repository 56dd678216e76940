-- The income bands of participation behaviour, with their factors. The bounds are those of the parameter table in the
-- first simulated year and move by the structure increase after it.
select
    bands.income_from as income_band,
    round(bands.income_from::decimal(38, 2) * calendar.structure_factor, 2)::decimal(18, 2) as income_from,
    round(bands.income_to::decimal(38, 2) * calendar.structure_factor, 2)::decimal(18, 2) as income_to,
    bands.join_factor::double as join_factor,
    bands.second_chance_factor::double as second_chance_factor,
    bands.opt_out_factor::double as opt_out_factor
from {{ parameters('participation_by_income') }} as bands
cross join {{ ref('stg_calendar') }} as calendar
