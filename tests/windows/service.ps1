# The agent as a service: installed, started, stopped while it waits for its server,
# started again after a crash, and gone without a trace. Needs an administrator.
param([Parameter(Mandatory)] [string] $Agent)
$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $PSScriptRoot 'lib\GuruConnect.psm1') -Force

$name = 'GuruConnectAgent'
$data = Join-Path $env:ProgramData 'GuruConnect'
$folder = Join-Path $env:ProgramFiles 'GuruConnect'
$log = Join-Path $data 'Logs\agent.log'
$safeModes = 'Minimal', 'Network' | ForEach-Object { "HKLM:\SYSTEM\CurrentControlSet\Control\SafeBoot\$_\$name" }
$run = 'HKCU:\Software\Microsoft\Windows\CurrentVersion\Run'
if ((Get-Service $name -ErrorAction SilentlyContinue) -or (Test-Path $data)) { throw 'GuruConnect is installed here already' }
try {
    # A user who never signed in at a screen may have none.
    if (-not (Test-Path $run)) { New-Item -Path $run -Force | Out-Null }
    Set-ItemProperty -Path $run -Name GuruConnect -Value 'C:\old.exe'
    Invoke-Program $Agent @('install') -ExitCode 1 | Out-Null # nothing to enrol with
    # Nobody listens on that port: the service waits to enrol.
    Invoke-Program $Agent @('install', '--server', 'http://127.0.0.1:9', '--token', 'enr_story') | Out-Null
    Invoke-Program $Agent @('install') | Out-Null

    $service = Get-CimInstance Win32_Service -Filter "Name='$name'"
    Assert-Equal $service.StartName 'LocalSystem' 'its account'
    Assert-Equal $service.StartMode 'Auto' 'its start'
    foreach ($key in $safeModes) { Assert-Equal (Get-Item $key).GetValue('') 'Service' $key }
    Assert-True ($null -eq (Get-Item $run).GetValue('GuruConnect')) 'no entry below Run'
    $recovery = sc.exe qfailure $name | Out-String
    Assert-Equal ([regex]::Matches($recovery, 'RESTART').Count) 3 "restarts in '$recovery'"
    Assert-True ((Get-Acl $data).AreAccessRulesProtected) "$data is private"

    Assert-Equal (Invoke-Program $Agent @('start')) 'Started' 'the first start'
    Assert-Equal (Invoke-Program $Agent @('start')) 'The service runs already' 'the second start'
    Wait-Until 'an attempt to reach the server' {
        (Test-Path $log) -and (Select-String -Path $log -Pattern 'trying again' -SimpleMatch -Quiet)
    }
    $took = Measure-Command { Stop-Service $name }
    Assert-True ($took.TotalSeconds -lt 2) "a stop in less than two seconds, not $took"

    # A crash: Windows starts it again.
    Invoke-Program $Agent @('start') | Out-Null
    $first = (Get-CimInstance Win32_Service -Filter "Name='$name'").ProcessId
    Stop-Process -Id $first -Force
    Wait-Until 'the service after its crash' {
        $now = (Get-CimInstance Win32_Service -Filter "Name='$name'").ProcessId
        $now -gt 0 -and $now -ne $first
    }

    # The installed program takes itself away.
    Invoke-Program (Join-Path $folder 'guruconnect-agent.exe') @('uninstall') | Out-Null
    Invoke-Program $Agent @('uninstall') | Out-Null
    Wait-Until 'the end of the program' { -not (Test-Path $folder) }
    Assert-True (-not (Test-Path $data)) "nothing in $data"
    foreach ($key in $safeModes) { Assert-True (-not (Test-Path $key)) "nothing at $key" }
    Assert-True ($null -eq (Get-Service $name -ErrorAction SilentlyContinue)) 'no service'
} finally {
    Test-Program $Agent @('uninstall') | Out-Null
    Remove-ItemProperty -Path $run -Name GuruConnect -ErrorAction SilentlyContinue
}
Write-Host 'ok: the life of the service'
exit 0
