{#- The register of key figures: one row for each figure of fct_annual_metrics, in the order of reports. The mart, its
    bounds, reports and METHODOLOGY.md take everything about a figure from here. A block that calls it gets the rows:
    {% call(figures) key_figures() %} {% for figure in figures %} ... {% endfor %} {% endcall %}

    name         name of the figure
    unit         people, events (both whole numbers), rate, USD or USD a year
    of           people, where the expression aggregates the year's fct_workforce_snapshot; events, where it aggregates
                 the year's fct_yearly_events; absent, where it is made of other figures and totals of the mart's model
    expression   SQL
    totals       what the expression needs beside other figures, aggregated over the year's fct_workforce_snapshot, by
                 name; absent where it needs none
    with_limits  whether the expression reads the year's limits beside the people, so that a group does not have it
    by_group     whether it is made of figures and totals of people alone, so that a group of people has it too
    description  what it is
    lowest       the least it can be; absent where there is no bound
    highest      the most it can be; absent where there is no bound
    leading      whether it is among the first columns of a summary
    table        the table of a report that shows it year by year: pay, plan or employer; absent where none does
    column       its heading there and in the table of groups
    headline     heading of the figure in an executive report; absent where it is not in it -#}
{% macro key_figures() -%}
    {%- set opening_average = ratio('opening.payroll', 'opening.headcount') -%}
    {%- set closing_average = ratio('closing_payroll', 'closing_headcount') -%}
    {%- set continuous_average = ratio('continuous_payroll', 'continuous_headcount') -%}
    {%- set staying_average = ratio('continuous_opening.payroll', 'continuous_headcount') -%}
    {%- set participating = "filter (where is_eligible and is_enrolled and employment_status = 'active')" -%}
    {{ caller([
        {
            'name': 'opening_headcount',
            'unit': 'people',
            'expression': 'opening.headcount',
            'description': 'People employed on 1 January.',
            'lowest': 0,
            'leading': true,
        },
        {
            'name': 'terminations',
            'unit': 'people',
            'of': 'people',
            'expression': "count(*) filter (where detailed_status_code = 'experienced_termination' "
                ~ "and termination_reason <> 'layoff')",
            'description': 'Exits of the opening population, layoffs left out.',
            'lowest': 0,
            'leading': true,
            'column': 'Exits',
        },
        {
            'name': 'acquired',
            'unit': 'people',
            'of': 'people',
            'expression': "count(*) filter (where detailed_status_code = 'acquired_active')",
            'description': 'People who came with a company that was bought in the year.',
            'lowest': 0,
        },
        {
            'name': 'layoffs',
            'unit': 'people',
            'of': 'people',
            'expression': "count(*) filter (where termination_reason = 'layoff')",
            'description': 'People laid off by a reduction, on top of the exits.',
            'lowest': 0,
        },
        {
            'name': 'employer_initiated_turnover',
            'unit': 'rate',
            'expression': ratio('turnover.employer_initiated_exits', 'turnover.participants'),
            'description': 'Layoffs and involuntary exits of participants over all participants of the year, in years with '
                ~ 'a reduction; 20 % is presumed to be a partial termination.',
            'lowest': 0,
            'highest': 1,
        },
        {
            'name': 'vested_by_partial_termination',
            'unit': 'people',
            'expression': 'case when turnover.is_fully_vested then terminations + layoffs + new_hire_terminations '
                ~ 'else 0 end',
            'description': 'Everybody who leaves in a year of a partial termination, and is fully vested by it.',
            'lowest': 0,
        },
        {
            'name': 'retirements',
            'unit': 'people',
            'of': 'people',
            'expression': "count(*) filter (where termination_reason = 'retirement')",
            'description': 'Exits by retirement.',
            'lowest': 0,
        },
        {
            'name': 'deaths',
            'unit': 'people',
            'of': 'people',
            'expression': "count(*) filter (where termination_reason = 'death')",
            'description': 'Exits by death.',
            'lowest': 0,
        },
        {
            'name': 'disabilities',
            'unit': 'people',
            'of': 'people',
            'expression': "count(*) filter (where termination_reason = 'disability')",
            'description': 'Exits by disability.',
            'lowest': 0,
        },
        {
            'name': 'announced_terminations',
            'unit': 'people',
            'of': 'people',
            'expression': "count(*) filter (where termination_reason = 'announced')",
            'description': 'Exits that the census announces.',
            'lowest': 0,
        },
        {
            'name': 'hires',
            'unit': 'people',
            'of': 'people',
            'expression': "count(*) filter (where detailed_status_code like 'new_hire%')",
            'description': 'People hired in the year.',
            'lowest': 0,
            'leading': true,
            'column': 'Hires',
        },
        {
            'name': 'new_hire_terminations',
            'unit': 'people',
            'of': 'people',
            'expression': "count(*) filter (where detailed_status_code = 'new_hire_termination')",
            'description': 'Hires who leave in the year they came.',
            'lowest': 0,
            'leading': true,
            'column': 'New-hire exits',
        },
        {
            'name': 'closing_headcount',
            'unit': 'people',
            'of': 'people',
            'expression': "count(*) filter (where employment_status = 'active')",
            'description': 'People active at the close.',
            'lowest': 0,
            'leading': true,
            'headline': 'Headcount',
            'column': 'Headcount',
        },
        {
            'name': 'target_headcount',
            'unit': 'people',
            'expression': 'target.target_headcount',
            'description': 'People the year should close with.',
            'lowest': 0,
        },
        {
            'name': 'headcount_growth_rate',
            'unit': 'rate',
            'expression': ratio('closing_headcount', 'opening.headcount') ~ ' - 1',
            'description': 'Closing over opening headcount, less 1.',
            'lowest': -1,
            'leading': true,
            'headline': 'Growth',
        },
        {
            'name': 'promotions',
            'unit': 'events',
            'of': 'events',
            'expression': "count(*) filter (where event_type = 'promotion')",
            'description': 'Promotions.',
            'lowest': 0,
        },
        {
            'name': 'raises',
            'unit': 'events',
            'of': 'events',
            'expression': "count(*) filter (where event_type = 'raise')",
            'description': 'Yearly raises.',
            'lowest': 0,
        },
        {
            'name': 'realised_merit_rate',
            'unit': 'rate',
            'expression': ratio('raise_amount - calendar.cola_rate * raise_payroll', 'raise_payroll'),
            'description': 'Full raises less their COLA, over the pay they were given on.',
            'lowest': -1,
        },
        {
            'name': 'level_surplus',
            'unit': 'people',
            'expression': "case when " ~ param('workforce_structure') ~ " = 'positions' then surpluses.headcount else 0 end",
            'description': 'People above the positions of their level, who stay; with workforce.structure rates 0.',
            'lowest': 0,
        },
        {
            'name': 'people_below_range',
            'unit': 'people',
            'expression': 'below_ranges.headcount',
            'description': 'People active at the close whose pay is below the minimum of their level, for part-timers below their share of it.',
            'lowest': 0,
        },
        {
            'name': 'total_compensation',
            'unit': 'USD',
            'of': 'people',
            'expression': 'coalesce(sum(prorated_annual_compensation), 0)',
            'description': 'Paid compensation of everyone in the snapshot, bonuses included.',
            'lowest': 0,
            'leading': true,
            'column': 'Paid in the year',
        },
        {
            'name': 'bonus_total',
            'unit': 'USD',
            'of': 'people',
            'expression': 'coalesce(sum(bonus_amount), 0)',
            'description': 'Bonuses of everyone in the snapshot, part of their paid compensation.',
            'lowest': 0,
        },
        {
            'name': 'average_compensation',
            'unit': 'USD a year',
            'expression': closing_average,
            'totals': {
                'closing_payroll': "coalesce(sum(current_compensation) filter (where employment_status = 'active'), 0)",
            },
            'by_group': true,
            'description': 'Average rate of pay of everyone active at the close.',
            'lowest': 0,
            'leading': true,
            'column': 'Average pay',
        },
        {
            'name': 'compensation_growth_all',
            'unit': 'rate',
            'expression': ratio(closing_average, opening_average) ~ ' - 1',
            'description': 'Average rate of pay of everyone active at the close, over that of everyone on 1 January, less 1: '
            ~ 'it moves with pay, exits and hires.',
            'lowest': -1,
            'table': 'pay',
            'column': 'Growth of average pay',
        },
        {
            'name': 'compensation_growth_continuous',
            'unit': 'rate',
            'expression': ratio(continuous_average, opening_average) ~ ' - 1',
            'description': 'Average rate of pay at the close of those active on 1 January and at the close, over that of '
            ~ 'everyone on 1 January, less 1: it moves with pay and exits.',
            'lowest': -1,
        },
        {
            'name': 'compensation_growth_same_person',
            'unit': 'rate',
            'expression': ratio('continuous_payroll', 'continuous_opening.payroll') ~ ' - 1',
            'description': 'Payroll at the close of those active on 1 January and at the close, over that of the same people '
            ~ 'on 1 January, less 1: it moves with raises and promotions only.',
            'lowest': -1,
        },
        {
            'name': 'compensation_growth_from_raises',
            'unit': 'rate',
            'expression': ratio('(' ~ continuous_average ~ ') - (' ~ staying_average ~ ')', opening_average),
            'description': 'What raises and promotions of people who stayed add to the growth of the average rate of pay.',
            'table': 'pay',
            'column': 'by raises and promotions',
        },
        {
            'name': 'compensation_growth_from_exits',
            'unit': 'rate',
            'expression': ratio('(' ~ staying_average ~ ') - (' ~ opening_average ~ ')', opening_average),
            'description': 'What exits add to the growth of the average rate of pay.',
            'table': 'pay',
            'column': 'by exits',
        },
        {
            'name': 'compensation_growth_from_hires',
            'unit': 'rate',
            'expression': ratio('(' ~ closing_average ~ ') - (' ~ continuous_average ~ ')', opening_average),
            'description': 'What hires add to the growth of the average rate of pay.',
            'table': 'pay',
            'column': 'by hires',
        },
        {
            'name': 'eligible_count',
            'unit': 'people',
            'of': 'people',
            'expression': "count(*) filter (where is_eligible and employment_status = 'active')",
            'description': 'People active at the close who may defer.',
            'lowest': 0,
            'leading': true,
        },
        {
            'name': 'participant_count',
            'unit': 'people',
            'of': 'people',
            'expression': "count(*) filter (where is_eligible and is_enrolled and employment_status = 'active')",
            'description': 'Eligible people with an election above 0.',
            'lowest': 0,
            'leading': true,
        },
        {
            'name': 'participation_rate',
            'unit': 'rate',
            'expression': ratio('participant_count', 'eligible_count'),
            'by_group': true,
            'description': 'Participants over eligible people.',
            'lowest': 0,
            'highest': 1,
            'leading': true,
            'table': 'plan',
            'column': 'Participation',
            'headline': 'Participation',
        },
        {
            'name': 'average_deferral_rate',
            'unit': 'rate',
            'expression': ratio('participant_rates', 'participant_count'),
            'totals': {
                'participant_rates': 'sum(current_deferral_rate) ' ~ participating,
            },
            'by_group': true,
            'description': 'Average deferral rate of participants.',
            'lowest': 0,
            'highest': 1,
            'leading': true,
            'table': 'plan',
            'column': 'Average deferral',
        },
        {
            'name': 'average_deferral_rate_all_eligible',
            'unit': 'rate',
            'expression': ratio('coalesce(participant_rates, 0)', 'eligible_count'),
            'by_group': true,
            'description': 'Average deferral rate of eligible people, 0 for those who do not participate.',
            'lowest': 0,
            'highest': 1,
        },
        {
            'name': 'average_deferral_rate_payroll_weighted',
            'unit': 'rate',
            'expression': ratio('coalesce(deferring_payroll, 0)', 'eligible_payroll'),
            'totals': {
                'deferring_payroll': 'sum(current_deferral_rate * current_compensation::decimal(38, 2)) ' ~ participating,
                'eligible_payroll': "sum(current_compensation) filter (where is_eligible and employment_status = 'active')",
            },
            'by_group': true,
            'description': 'Average deferral rate of eligible people, weighted by the annual rate of pay.',
            'lowest': 0,
            'highest': 1,
        },
        {
            'name': 'employee_contribution_total',
            'unit': 'USD',
            'of': 'people',
            'expression': 'coalesce(sum(employee_contribution_amount), 0)',
            'description': 'Pre-tax, Roth and after-tax contributions of everyone in the snapshot.',
            'lowest': 0,
            'leading': true,
        },
        {
            'name': 'elective_deferral_total',
            'unit': 'USD',
            'of': 'people',
            'expression': 'coalesce(sum(pre_tax_amount + roth_amount), 0)',
            'description': 'Elective deferrals (pre-tax and Roth, catch-up included) of everyone in the snapshot.',
            'lowest': 0,
            'table': 'plan',
            'column': 'Deferrals',
            'headline': 'Deferrals',
        },
        {
            'name': 'after_tax_total',
            'unit': 'USD',
            'of': 'people',
            'expression': 'coalesce(sum(after_tax_amount), 0)',
            'description': 'After-tax contributions of everyone in the snapshot.',
            'lowest': 0,
            'table': 'plan',
            'column': 'After-tax',
        },
        {
            'name': 'employer_match_total',
            'unit': 'USD',
            'of': 'people',
            'expression': 'coalesce(sum(employer_match_amount), 0)',
            'description': 'Match of everyone in the snapshot.',
            'lowest': 0,
            'leading': true,
            'table': 'employer',
            'column': 'Match',
        },
        {
            'name': 'employer_core_total',
            'unit': 'USD',
            'of': 'people',
            'expression': 'coalesce(sum(employer_core_amount), 0)',
            'description': 'Core contribution of everyone in the snapshot, reallocated forfeitures included.',
            'lowest': 0,
            'leading': true,
            'table': 'employer',
            'column': 'Core',
        },
        {
            'name': 'match_lost_to_timing',
            'unit': 'USD',
            'expression': 'match_lost_to_timing',
            'description': 'Annual match less the match by pay period, before section 415(c); it may be negative.',
        },
        {
            'name': 'forfeiture_total',
            'unit': 'USD',
            'of': 'people',
            'expression': 'coalesce(sum(forfeiture_amount), 0)',
            'description': "Forfeitures of the year's exits, for next year's pool.",
            'lowest': 0,
            'leading': true,
        },
        {
            'name': 'forfeitures_available',
            'unit': 'USD',
            'expression': 'pool',
            'description': "The year's pool: last year's forfeitures and what it carried forward, or the opening balance.",
            'lowest': 0,
        },
        {
            'name': 'forfeitures_paid_expenses',
            'unit': 'USD',
            'expression': 'paid_expenses',
            'description': 'What of the pool pays plan expenses.',
            'lowest': 0,
        },
        {
            'name': 'forfeitures_offset',
            'unit': 'USD',
            'expression': 'offset_amount',
            'description': 'What of the pool lowers what the employer pays: what expenses leave, at most match + core; 0 where '
            ~ 'the plan reallocates.',
            'lowest': 0,
        },
        {
            'name': 'forfeitures_reallocated',
            'unit': 'USD',
            'expression': 'reallocated',
            'description': 'What of the pool is reallocated to people.',
            'lowest': 0,
        },
        {
            'name': 'forfeitures_used',
            'unit': 'USD',
            'expression': 'offset_amount + reallocated',
            'description': 'What of the pool lowers the cost of match and core: forfeitures offset and reallocated.',
            'lowest': 0,
            'table': 'employer',
            'column': 'Forfeitures used',
        },
        {
            'name': 'forfeitures_carried_forward',
            'unit': 'USD',
            'expression': 'pool - paid_expenses - offset_amount - reallocated',
            'description': 'What is left of the pool for next year.',
            'lowest': 0,
        },
        {
            'name': 'net_employer_cost',
            'unit': 'USD',
            'expression': 'employer_match_total + employer_core_total - reallocated - offset_amount',
            'description': 'Match + core - forfeitures used.',
            'lowest': 0,
            'leading': true,
            'table': 'employer',
            'column': 'Net cost',
            'headline': 'Net employer cost',
        },
        {
            'name': 'employer_paid_expenses',
            'unit': 'USD',
            'expression': param('plan_expenses') ~ ' - paid_expenses',
            'description': 'Plan expenses that the pool does not pay; they are not part of the net employer cost.',
            'lowest': 0,
            'table': 'employer',
            'column': 'Expenses paid',
        },
        {
            'name': 'employer_cost_rate',
            'unit': 'rate',
            'expression': ratio('employer_match_total + employer_core_total', 'total_compensation'),
            'by_group': true,
            'description': 'Match + core over total compensation, gross of forfeitures.',
            'lowest': 0,
            'highest': 1,
            'leading': true,
            'table': 'employer',
            'column': 'Gross rate',
        },
        {
            'name': 'net_employer_cost_rate',
            'unit': 'rate',
            'expression': ratio(
                'employer_match_total + employer_core_total - reallocated - offset_amount', 'total_compensation'
            ),
            'description': 'Net employer cost over total compensation.',
            'lowest': 0,
            'highest': 1,
            'table': 'employer',
            'column': 'Net rate',
            'headline': 'Net rate',
        },
        {
            'name': 'hce_count',
            'unit': 'people',
            'of': 'people',
            'expression': 'count(*) filter (where is_hce)',
            'description': 'Highly compensated people in the snapshot.',
            'lowest': 0,
        },
        {
            'name': 'deferral_coverage_ratio',
            'unit': 'rate',
            'expression': coverage_ratio('deferral'),
            'description': 'Share of those not highly compensated who may defer, over that share of the highly compensated.',
            'lowest': 0,
        },
        {
            'name': 'match_coverage_ratio',
            'unit': 'rate',
            'expression': coverage_ratio('match'),
            'description': 'Share of those not highly compensated who may share in the match and pass its gates, over that share of the highly compensated.',
            'lowest': 0,
        },
        {
            'name': 'core_coverage_ratio',
            'unit': 'rate',
            'expression': coverage_ratio('core'),
            'description': 'Share of those not highly compensated who share in the core contribution, over that share of the highly compensated.',
            'lowest': 0,
        },
        {
            'name': 'compensation_ratio_hce',
            'unit': 'rate',
            'of': 'people',
            'with_limits': true,
            'expression': counted_compensation('is_hce'),
            'description': 'Average share of their pay that is plan compensation, of the highly compensated who may defer, both at most the limit of 401(a)(17); null where the plan counts all pay.',
            'lowest': 0,
            'highest': 1,
        },
        {
            'name': 'compensation_ratio_others',
            'unit': 'rate',
            'of': 'people',
            'with_limits': true,
            'expression': counted_compensation('not is_hce'),
            'description': 'The same average of those who may defer and are not highly compensated.',
            'lowest': 0,
            'highest': 1,
        },
    ]) }}
{%- endmacro %}

{#- The figures that aggregate people or events, as columns of a select. -#}
{% macro figures_of(what) -%}
    {%- call(figures) key_figures() -%}
        {%- for figure in figures if figure.of == what -%}
            {{ figure.expression }} as {{ figure.name }}{{ ",\n        " if not loop.last }}
        {%- endfor -%}
    {%- endcall -%}
{%- endmacro %}

{#- The totals of people that figures need, as columns of a select. -#}
{% macro totals_of_people() -%}
    {%- call(figures) key_figures() -%}
        {%- for figure in figures if figure.totals -%}
            {%- set last = loop.last -%}
            {%- for name, expression in figure.totals.items() -%}
                {{ expression }} as {{ name }}{{ ",\n        " if not (last and loop.last) }}
            {%- endfor -%}
        {%- endfor -%}
    {%- endcall -%}
{%- endmacro %}

{#- A list in the order of the register: each figure's name, unit, value (from one row of totals), a bound. -#}
{% macro figure_list(what) -%}
    {%- call(figures) key_figures() -%}
        {%- if what in ('name', 'unit') -%}
            ['{{ figures | map(attribute=what) | join("', '") }}']
        {%- elif what in ('lowest', 'highest') -%}
            [{{ figures | map(attribute=what, default='null') | join(', ') }}]
        {%- else -%}
            [
            {%- for figure in figures -%}
                {{ '\n            ' }}({{ figure.name if figure.of else figure.expression }})::decimal(38, 6)
                {{- ',' if not loop.last }}
            {%- endfor -%}
            {{ '\n        ' }}]
        {%- endif -%}
    {%- endcall -%}
{%- endmacro %}
