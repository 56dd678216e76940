-- The age band and every factor that depends on age, for each completed age: a total map, no age drops out of a join.
with

ages as (
    select unnest(range(0, 221))::integer as age
)

select
    ages.age,
    bands.age_band,
    termination.multiplier::double as termination_multiplier,
    retirement.retirement_rate::double as retirement_rate,
    promotion.multiplier::double as promotion_multiplier,
    participation.age_from as participation_age_from,
    participation.join_rate::double as join_rate,
    participation.second_chance_rate::double as second_chance_rate,
    participation.opt_out_rate::double as opt_out_rate
from ages
inner join {{ parameters('age_bands') }} as bands
    on
        ages.age >= bands.age_from
        and (bands.age_to is null or ages.age < bands.age_to)
inner join {{ parameters('termination_by_age') }} as termination
    on bands.age_band = termination.age_band
inner join {{ parameters('promotion_by_age') }} as promotion
    on bands.age_band = promotion.age_band
inner join {{ parameters('retirement_rates') }} as retirement
    on
        ages.age >= retirement.age_from
        and (retirement.age_to is null or ages.age < retirement.age_to)
inner join {{ parameters('participation_by_age') }} as participation
    on
        ages.age >= participation.age_from
        and (participation.age_to is null or ages.age < participation.age_to)
