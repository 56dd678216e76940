-- What the employer contributes, by source and job level, gross of forfeitures.
with

sources as (
    select
        level_id,
        unnest([
            {'contribution_source': 'match', 'amount': employer_match_amount, 'is_paid': employer_match_amount > 0},
            {'contribution_source': 'core', 'amount': employer_core_amount, 'is_paid': employer_core_amount > 0}
        ]) as part,
        prorated_annual_compensation
    from {{ ref('fct_workforce_snapshot') }}
    where simulation_year = {{ param('simulation_year') }}
)

select
    {{ param('scenario_id') }} as scenario_id,
    {{ param('plan_design_id') }} as plan_design_id,
    {{ param('simulation_year') }} as simulation_year,
    part['contribution_source'] as contribution_source,
    level_id,
    count(*)::integer as people,
    (count(*) filter (where part['is_paid']))::integer as people_paid,
    sum(prorated_annual_compensation)::decimal(18, 2) as compensation,
    sum(part['amount'])::decimal(18, 2) as amount
from sources
group by part['contribution_source'], level_id
