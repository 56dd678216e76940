-- Who is laid off this year, on top of the year's exits, and when. The items of the configuration take their people one
-- after the other in the order of their dates: of the named levels and departments of 1 January, without an announced
-- exit on or before the day, the smallest race keys of leaving, those who came last, or any. Nobody is taken twice.
-- Long because the items choose in turn, and because one that finds too few people must say so.
with recursive

items as (
    select
        item,
        reduction_date,
        people,
        share,
        ranked_by,
        row_number() over (order by item) as turn
    from {{ source('parameters', 'reductions') }}
    where simulation_year = {{ param('simulation_year') }}
),

named as (
    select
        items.item,
        list(groups.name) filter (where groups.kind = 'level') as levels,
        list(groups.name) filter (where groups.kind = 'department') as departments
    from items
    left join {{ source('parameters', 'reduction_groups') }} as groups
        on
            items.item = groups.item
            and groups.simulation_year = {{ param('simulation_year') }}
    group by {{ world() }} items.item
),

members as (
    select
        items.turn,
        items.people,
        items.share,
        items.ranked_by,
        opening.employee_id,
        opening.employee_service_date,
        coalesce(opening.announced_termination_date > items.reduction_date, true) as is_there,
        {{ exit_hazard() }} as hazard,
        items.item || '#' || opening.employee_id as item_and_employee
    from items
    inner join named
        on items.item = named.item
    inner join {{ ref('int_opening_workforce') }} as opening
        on
            (named.levels is null or list_contains(named.levels, opening.level_id::varchar))
            and (
                named.departments is null
                or list_contains(named.departments, lower(trim(opening.department)))
            )
    inner join {{ ref('stg_job_levels') }} as levels
        on opening.level_id = levels.level_id
    inner join {{ ref('stg_age_segments') }} as ages
        on opening.age = ages.age
    inner join {{ ref('stg_tenure_segments') }} as tenures
        on opening.completed_years = tenures.completed_years
),

drawn as (
    select
        *,
        {{ draw(draw_key('reduction', 'item_and_employee')) }} as reduction_draw
    from members
),

candidates as (
    select
        turn,
        employee_id,
        is_there,
        reduction_draw,
        coalesce(people, round(share * count(*) over (partition by turn), 0))::bigint as wanted,
        row_number() over (
            partition by turn
            order by
                case
                    when ranked_by = 'last_in' then (date '1900-01-01' - employee_service_date)::double
                    when ranked_by = 'random' then reduction_draw
                    when hazard > 0 then round(-ln(1 - reduction_draw) / hazard, 12)
                    else 'infinity'::double
                end,
                employee_id
        ) as place
    from drawn
),

taken as (
    select
        0::bigint as turn,
        []::varchar[] as employee_ids
    union all
    select
        any_value(free.turn) as turn,
        list_concat(
            any_value(free.taken_before), coalesce(list(free.employee_id) filter (where free.rank <= free.wanted), [])
        ) as employee_ids
    from (
        select
            taken.turn + 1 as turn,
            taken.employee_ids as taken_before,
            candidates.employee_id,
            candidates.wanted,
            row_number() over (order by candidates.place) as rank
        from taken
        left join candidates
            on
                taken.turn + 1 = candidates.turn
                and candidates.is_there
                and not list_contains(taken.employee_ids, candidates.employee_id)
        where taken.turn < (select max(items.turn) from items)
    ) as free
    having count(*) > 0
),

unnested as (
    select
        turn,
        unnest(employee_ids) as employee_id
    from taken
),

people as (
    select
        employee_id,
        min(turn) as turn
    from unnested
    group by {{ world() }} employee_id
),

wishes as (
    select distinct
        turn,
        wanted
    from candidates
),

counted as (
    select
        items.turn,
        items.reduction_date,
        coalesce(any_value(wishes.wanted), items.people, 0) as wanted,
        count(people.employee_id) as found
    from items
    left join wishes
        on items.turn = wishes.turn
    left join people
        on items.turn = people.turn
    group by items.turn, items.reduction_date, items.people
)

-- an item that found nobody has a row without a person, so that its error is never left out
select
    people.employee_id,
    counted.reduction_date,
    case
        when counted.found < counted.wanted
            then error(
                'PLANALIGN_CONFIGURATION workforce.reductions: ' || counted.wanted || ' people are to leave on '
                || counted.reduction_date || ', but only ' || counted.found || ' of the named levels and departments '
                || 'are employed on 1 January ' || {{ param('simulation_year') }}
                || ' without an earlier announced exit or reduction; lower the number or name more of them'
            )::bigint
        else counted.found
    end as people_of_item,
    candidates.reduction_draw
from counted
left join people
    on counted.turn = people.turn
left join candidates
    on
        people.employee_id = candidates.employee_id
        and people.turn = candidates.turn
where {{ param('has_reductions') }}
