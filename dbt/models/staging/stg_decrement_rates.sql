-- The yearly probabilities of death and of disability for each completed age and sex: a total map. Who is of neither or
-- of unknown sex has the mean of both.
with

ages as (
    select unnest(range(0, 221))::integer as age
)

select
    ages.age,
    unnest(['male', 'female', 'unknown']) as sex,
    unnest([
        rates.male_death_rate,
        rates.female_death_rate,
        (rates.male_death_rate + rates.female_death_rate) * 0.5
    ])::decimal(9, 7) as death_rate,
    unnest([
        rates.male_disability_rate,
        rates.female_disability_rate,
        (rates.male_disability_rate + rates.female_disability_rate) * 0.5
    ])::decimal(9, 7) as disability_rate
from ages
inner join {{ parameters('decrement_rates') }} as rates
    on
        ages.age >= rates.age_from
        and (rates.age_to is null or ages.age < rates.age_to)
