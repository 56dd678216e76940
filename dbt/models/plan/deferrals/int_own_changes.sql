-- What participants change by themselves: each year after that of their enrollment some raise their rate by one or two
-- points, halve it or stop, on a drawn day; one change a person and year. Whoever stopped in answer to a lower match
-- has no rate left to change.
with

keyed as (
    select
        people.employee_id,
        people.as_of,
        people.year_start,
        people.days_in_year,
        {{ draw_key('own_change', 'people.employee_id') }} as draw_key
    from {{ ref('int_eligibility') }} as people
    left join {{ ref('int_match_responses') }} as responses
        on people.employee_id = responses.employee_id
    where
        coalesce(responses.rate_after, people.opening_rate) > 0
        and people.deferral_from_day is not null
        and people.pending_kind is null
),

drawn as (
    select
        employee_id,
        as_of,
        (year_start + floor({{ draw2('draw_key') }} * days_in_year)::integer)::date as changed_on,
        {{ draw('draw_key') }} as change_draw,
        {{ param('own_change_raise_rate') }} as raise_rate,
        {{ param('own_change_halve_rate') }} as halve_rate,
        {{ param('own_change_stop_rate') }} as stop_rate
    from keyed
)

select
    employee_id,
    changed_on,
    change_draw,
    case
        when change_draw < raise_rate::double then 'raise'
        when change_draw < (raise_rate + halve_rate)::double then 'halve'
        else 'stop'
    end as change,
    case
        when change_draw < raise_rate::double / 2 then 0.01
        when change_draw < raise_rate::double then 0.02
        else 0
    end::decimal(9, 6) as increase,
    case
        when change_draw < raise_rate::double then raise_rate
        when change_draw < (raise_rate + halve_rate)::double then halve_rate
        else stop_rate
    end as change_probability
from drawn
where
    change_draw < (raise_rate + halve_rate + stop_rate)::double
    and changed_on <= as_of
