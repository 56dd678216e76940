{#- A run's parameter. In the compiled model it is a session variable that the orchestrator sets, typed, every year;
    with dbt it is a quoted `--vars` value. Both casts start from the same text, so both engines read the same number.
    Its type is the one that the configuration declares. -#}
{% macro param(name) -%}
    {%- if target.name == 'compiled' -%}
        getvariable('{{ name }}')::{{ parameter_type(name) }}
    {%- else -%}
        '{{ var(name) | string | replace("'", "''") }}'::{{ parameter_type(name) }}
    {%- endif -%}
{%- endmacro %}
