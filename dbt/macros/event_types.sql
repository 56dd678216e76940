{#- The register of events: one row for each type that the ledger may hold, in the order of a person's events of one
    day. Models, tests, reports and METHODOLOGY.md take types, order, categories, accounts and signs from here; the model
    stg_event_types is this list as a table. A block that calls it gets the rows:
    {% call(types) event_types() %} {% for type in types %} ... {% endfor %} {% endcall %}

    event_type   name of the type
    subject      what it is about: employment, status (what somebody is to the plan), election, pay, or money (a payment)
    categories   the kinds within the type; none where it is the name of a formula of the configuration
    account      the account whose money it is, for money
    sign         1 for money paid into the account, -1 for money taken out of it, 0 for everything else
    description  what has happened -#}
{% macro event_types() -%}
    {{ caller([
        {
            'event_type': 'hire',
            'subject': 'employment',
            'categories': ['new_hire', 'acquired'],
            'account': none,
            'sign': 0,
            'description': 'Somebody is hired, or comes with a company that is bought.',
        },
        {
            'event_type': 'hce_status',
            'subject': 'status',
            'categories': ['five_percent_owner', 'compensation'],
            'account': none,
            'sign': 0,
            'description': 'Somebody is highly compensated in the year; dated 1 January, or the day of an acquisition.',
        },
        {
            'event_type': 'eligibility',
            'subject': 'status',
            'categories': ['plan_rule', 'long_term_part_time', 'census_election', 'override', 'rule_change'],
            'account': none,
            'sign': 0,
            'description': 'Somebody first may defer, or has other entry dates by a change of the rules.',
        },
        {
            'event_type': 'enrollment',
            'subject': 'election',
            'categories': ['voluntary', 'second_chance', 'automatic', 'reenrollment'],
            'account': none,
            'sign': 0,
            'description': 'A deferral election comes into force.',
        },
        {
            'event_type': 'deferral_match_response',
            'subject': 'election',
            'categories': ['increase', 'decrease'],
            'account': none,
            'sign': 0,
            'description': 'A participant answers a change of the match.',
        },
        {
            'event_type': 'deferral_escalation',
            'subject': 'election',
            'categories': ['automatic_increase', 'qaca_minimum'],
            'account': none,
            'sign': 0,
            'description': 'The deferral rate goes up by itself.',
        },
        {
            'event_type': 'enrollment_change',
            'subject': 'election',
            'categories': ['opt_out', 'own_change'],
            'account': none,
            'sign': 0,
            'description': 'A participant opts out or changes the deferral rate.',
        },
        {
            'event_type': 'promotion',
            'subject': 'pay',
            'categories': ['level_change'],
            'account': none,
            'sign': 0,
            'description': 'Somebody moves up one level.',
        },
        {
            'event_type': 'raise',
            'subject': 'pay',
            'categories': ['merit_and_cola', 'prorated'],
            'account': none,
            'sign': 0,
            'description': 'The yearly raise; prorated where less than a year of service came before it.',
        },
        {
            'event_type': 'bonus',
            'subject': 'pay',
            'categories': ['own_share', 'level_target'],
            'account': none,
            'sign': 0,
            'description': 'A bonus is paid, by the share of the census or the target of the level; dated the pay date.',
        },
        {
            'event_type': 'contribution',
            'subject': 'money',
            'categories': ['elective_deferral'],
            'account': 'employee',
            'sign': 1,
            'description': "The person's own contributions of the year; dated 31 December or the exit.",
        },
        {
            'event_type': 'employer_match',
            'subject': 'money',
            'categories': none,
            'account': 'match',
            'sign': 1,
            'description': 'The match of the year; dated 31 December or the exit.',
        },
        {
            'event_type': 'employer_core',
            'subject': 'money',
            'categories': none,
            'account': 'core',
            'sign': 1,
            'description': 'The core contribution and reallocated forfeitures; dated 31 December or the exit.',
        },
        {
            'event_type': 'forfeiture',
            'subject': 'money',
            'categories': ['unvested'],
            'account': 'match and core',
            'sign': -1,
            'description': 'Unvested employer money of a leaver; dated the exit.',
        },
        {
            'event_type': 'termination',
            'subject': 'employment',
            'categories': ['voluntary', 'involuntary', 'retirement', 'announced', 'death', 'disability', 'layoff'],
            'account': none,
            'sign': 0,
            'description': 'The last day of employment.',
        },
    ]) }}
{%- endmacro %}

{#- The place of a type among a person's events of one day, from 1. -#}
{% macro order_in_day(event_type) -%}
    {%- call(types) event_types() -%}
        {%- set places = types | map(attribute='event_type') | list -%}
        {%- if event_type not in places -%}
            {{ exceptions.raise_compiler_error("the register of events has no type " ~ event_type) }}
        {%- endif -%}
        {{ places.index(event_type) + 1 }}
    {%- endcall -%}
{%- endmacro %}

{#- How an enrollment of a category came about; null for no category. -#}
{% macro enrollment_method(category) -%}
    case
        when {{ category }} in ('automatic', 'reenrollment') then 'auto'
        when {{ category }} is not null then 'voluntary'
    end
{%- endmacro %}

{#- The types about some subjects, as a list in brackets. -#}
{% macro event_types_about(subjects) -%}
    {%- call(types) event_types() -%}
        ('{{ types | selectattr('subject', 'in', subjects) | map(attribute='event_type') | join("', '") }}')
    {%- endcall -%}
{%- endmacro %}

{#- The types that pay money into an account, as a list in brackets. -#}
{% macro event_types_into(account) -%}
    {%- call(types) event_types() -%}
        ('{{
            types | selectattr('sign', 'equalto', 1) | selectattr('account', 'equalto', account)
            | map(attribute='event_type') | join("', '")
        }}')
    {%- endcall -%}
{%- endmacro %}

{#- Columns that count a person's events of the last day, up to each payment in turn and to all of them, after `changes`
    other events. A payment is an event where the column of its name is above 0. -#}
{% macro running_count_of_payments(changes) -%}
    {%- call(types) event_types() -%}
        {%- for type in types if type.subject == 'money' -%}
            {{ changes if loop.first else 'up_to_' ~ loop.previtem.event_type }}
            + coalesce({{ type.event_type }} > 0, false)::integer as up_to_{{ type.event_type }},
            {% if loop.last %}up_to_{{ type.event_type }} as up_to_all{% endif %}
        {%- endfor -%}
    {%- endcall -%}
{%- endmacro %}
