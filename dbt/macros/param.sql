{#- A run's parameter. In the compiled plan it is a session variable that the orchestrator sets, typed, every year;
    with dbt it is a quoted `--vars` value. Both casts start from the same text, so both engines read the same number. -#}
{% macro param(name, type) -%}
    {%- if target.name == 'plan' -%}
        getvariable('{{ name }}')::{{ type }}
    {%- else -%}
        '{{ var(name) | string | replace("'", "''") }}'::{{ type }}
    {%- endif -%}
{%- endmacro %}
