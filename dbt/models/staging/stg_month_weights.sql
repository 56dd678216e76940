-- For each purpose (exit, hire, raise) the months of the year as slices of [0, 1), with the days an event may fall on.
-- Nobody is drawn to leave on 31 December, so "employed on 31 December" means active at the close; nobody is drawn to
-- join after 29 December, so every hire has a day to leave on before the year ends.
select
    weights.purpose,
    make_date(calendar.simulation_year, weights.month, 1) as month_start,
    weights.lower_bound::double as lower_bound,
    weights.upper_bound::double as upper_bound,
    case
        when weights.purpose = 'exit' and weights.month = 12 then 30
        when weights.purpose = 'hire' and weights.month = 12 then 29
        else day(last_day(make_date(calendar.simulation_year, weights.month, 1)))
    end::integer as days
from {{ parameters('month_weights') }} as weights
cross join {{ ref('stg_calendar') }} as calendar
where weights.upper_bound > weights.lower_bound
