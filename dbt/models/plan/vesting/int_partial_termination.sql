-- One row, in years with a reduction: whether the year's employer-initiated exits are a partial termination, so that
-- everybody who leaves in the year is fully vested. Participants are those who may defer at any time in the year. From
-- 20 % on it is presumed; an item of the configuration may say otherwise. Code section 411(d)(3), Rev. Rul. 2007-43.
with

participants as (
    select
        count(*) as people,
        count(*) filter (where termination_reason in ('layoff', 'involuntary')) as exits
    from {{ ref('int_eligibility') }}
    where deferral_from_day is not null
),

items as (
    select
        bool_or(fully_vested = 'true') as is_said,
        bool_or(fully_vested = 'auto') as is_presumed
    from {{ source('parameters', 'reductions') }}
    where simulation_year = {{ param('simulation_year') }}
    -- no row without an item: a reduction in a year ahead changes nothing of a finished year
    having count(*) > 0
)

select
    participants.people as participants,
    participants.exits as employer_initiated_exits,
    items.is_said
    or (items.is_presumed and participants.exits > 0 and 5 * participants.exits >= participants.people)
        as is_fully_vested
from participants
cross join items
where {{ param('has_reductions') }}
