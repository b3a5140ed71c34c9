# What is typed arrives in Notepad: ordinary text, text of foreign keyboards, and an emoji.
param([Parameter(Mandatory)] [string] $Agent)
$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $PSScriptRoot 'lib\GuruConnect.psm1') -Force

$helper = Get-TestTool 'windows-helper'
Start-Process notepad
try {
    Wait-Until 'Notepad' { Test-Program $helper @('place-notepad') }
    # Spelled by number, so that this file reads the same in every code page.
    $foreign = -join ([char[]] (0xe9, 0xdf, 0x20ac, 0x44f, 0x6f22, 0xd83d, 0xde00))
    $text = "The quick brown Fox, 12:34 (5+6)! $foreign"

    Invoke-Program $helper @('type-notepad', $text) | Out-Null

    Wait-Until 'all of the text' { (Invoke-Program $helper @('read-notepad')).Length -ge $text.Length }
    Assert-Equal (Invoke-Program $helper @('read-notepad')) $text 'the text in Notepad'
} finally {
    # Newer versions hand over to another process.
    Get-Process notepad -ErrorAction SilentlyContinue | Stop-Process -Force
}
Write-Host 'ok: what is typed arrives'
