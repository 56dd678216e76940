-- Who dies this year, and who of the others becomes disabled. Exact mode: floor(sum of the probabilities + u) people by
-- an exponential race in which a person's hazard is -ln(1 - probability); stochastic mode: each with the probability.
with

causes as (
    select unnest(['death', 'disability']) as cause
),

counts as (
    select
        causes.cause,
        {{ draw(draw_key('decrement_count', 'causes.cause')) }} as count_draw
    from causes
),

death_race as (
    select
        people.employee_id,
        people.death_rate as exit_probability,
        people.death_draw as exit_draw,
        row_number() over (
            partition by {{ world('people') }} counts.cause
            order by {{ race_key('people.death_draw', 'people.death_rate::double') }}, people.employee_id
        ) as race_rank,
        floor(
            (sum(people.death_rate) over (partition by {{ world('people') }} counts.cause))::double
            + counts.count_draw
        )::bigint as drawn
    from {{ ref('int_decrement_draws') }} as people
    inner join counts
        on counts.cause = 'death'
    where people.death_rate > 0
),

deaths as (
    select
        employee_id,
        'death' as termination_reason,
        exit_probability,
        exit_draw
    from death_race
    where
        case
            when {{ param('headcount_mode') }} = 'exact' then race_rank <= drawn
            else exit_draw < exit_probability::double
        end
),

disability_race as (
    select
        people.employee_id,
        people.disability_rate as exit_probability,
        people.disability_draw as exit_draw,
        row_number() over (
            partition by {{ world('people') }} counts.cause
            order by {{ race_key('people.disability_draw', 'people.disability_rate::double') }}, people.employee_id
        ) as race_rank,
        floor(
            (sum(people.disability_rate) over (partition by {{ world('people') }} counts.cause))::double
            + counts.count_draw
        )::bigint as drawn
    from {{ ref('int_decrement_draws') }} as people
    anti join deaths
        on people.employee_id = deaths.employee_id
    inner join counts
        on counts.cause = 'disability'
    where people.disability_rate > 0
)

select
    employee_id,
    termination_reason,
    exit_probability,
    exit_draw
from deaths

union all

select
    employee_id,
    'disability' as termination_reason,
    exit_probability,
    exit_draw
from disability_race
where
    case
        when {{ param('headcount_mode') }} = 'exact' then race_rank <= drawn
        else exit_draw < exit_probability::double
    end
