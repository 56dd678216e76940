-- One row: how many people are hired, and how many of them leave again before the year ends.
--   net = target - acquired people - (opening - exits).  Exact mode: hires = ceil(net / (1 - new-hire exit rate)) and
-- new-hire exits = hires - net, so the year closes at the target.  Stochastic mode: hires = round(net / (1 - rate)),
-- and each hire leaves by chance.
-- Whole numbers throughout: in double precision ceil(21 / (1 - 0.3)) is 31.
with

exits as (
    select count(*) as exits
    from {{ ref('int_exits') }}
),

needed as (
    select
        target.opening_headcount,
        target.target_headcount,
        exits.exits,
        greatest(
            target.target_headcount - target.acquired_headcount - (target.opening_headcount - exits.exits), 0
        ) as net_hires,
        ((1 - {{ param('new_hire_termination_rate') }}) * 1000000)::bigint as staying_millionths
    from {{ ref('int_headcount_target') }} as target
    cross join exits
),

counted as (
    select
        opening_headcount,
        target_headcount,
        exits,
        net_hires,
        case
            when {{ param('headcount_mode') }} = 'exact'
                then (net_hires * 1000000 + staying_millionths - 1) // staying_millionths
            else (2 * net_hires * 1000000 + staying_millionths) // (2 * staying_millionths)
        end as hires
    from needed
)

select
    opening_headcount,
    target_headcount,
    exits,
    hires,
    hires - net_hires as new_hire_exits
from counted
