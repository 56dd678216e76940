-- The tenure band and every factor that depends on service, for each number of completed years: a total map.
with

years_of_service as (
    select unnest(range(0, 221))::integer as completed_years
)

select
    years_of_service.completed_years,
    bands.tenure_band,
    termination.multiplier::double as termination_multiplier,
    promotion.multiplier::double as promotion_multiplier
from years_of_service
inner join {{ source('parameters', 'tenure_bands') }} as bands
    on
        years_of_service.completed_years >= bands.tenure_from
        and (bands.tenure_to is null or years_of_service.completed_years < bands.tenure_to)
inner join {{ source('parameters', 'termination_by_tenure') }} as termination
    on bands.tenure_band = termination.tenure_band
inner join {{ source('parameters', 'promotion_by_tenure') }} as promotion
    on bands.tenure_band = promotion.tenure_band
