# A user's program knows the agent by whose its pipe is: an ordinary user reaches the
# system's, and nobody is taken in by a pipe that another user made. Needs an administrator.
param([Parameter(Mandatory)] [string] $Agent)
$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $PSScriptRoot 'lib\GuruConnect.psm1') -Force

$shared = Join-Path $env:ProgramData ('guruconnect-test-' + [guid]::NewGuid())
$name = 'gc-' + [guid]::NewGuid().ToString('N').Substring(0, 12)
$password = ConvertTo-SecureString ('Aa1!' + [guid]::NewGuid().ToString('N')) -AsPlainText -Force
$held = $null

# Where users may run it: everybody may read what is below ProgramData.
New-Item -ItemType Directory -Path $shared | Out-Null
$helper = Join-Path $shared 'windows-helper.exe'
Copy-Item (Get-TestTool 'windows-helper') $helper

function Test-Pipe([string] $Pipe) { [IO.Directory]::GetFiles('\\.\pipe\') -contains "\\.\pipe\$Pipe" }

function Start-AsUser([string[]] $Arguments) {
    $credential = New-Object System.Management.Automation.PSCredential ("$env:COMPUTERNAME\$name", $password)
    Start-Process $helper -ArgumentList $Arguments -Credential $credential -WorkingDirectory $env:SystemRoot `
        -PassThru -WindowStyle Hidden
}

# The exit code of a knock of the ordinary user: 0 where the agent is.
function Invoke-KnockAsUser([string] $Pipe) {
    $knock = Start-AsUser @('knock-help-pipe', $Pipe)
    # Asked for now, or it is not kept.
    $null = $knock.Handle
    if (-not $knock.WaitForExit(30000)) { throw 'a knock did not end' }
    $knock.ExitCode
}

try {
    New-LocalUser -Name $name -Password $password | Out-Null
    Add-LocalGroupMember -SID 'S-1-5-32-545' -Member $name -ErrorAction SilentlyContinue

    # The system has the pipe, as the service does.
    $action = New-ScheduledTaskAction -Execute $helper -Argument "hold-help-pipe $name-system"
    $system = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -LogonType ServiceAccount
    Register-ScheduledTask -TaskName $name -Action $action -Principal $system | Out-Null
    Start-ScheduledTask -TaskName $name
    Wait-Until "the system's pipe" { Test-Pipe "$name-system" }
    Assert-Equal (Invoke-KnockAsUser "$name-system") 0 'an ordinary user knocks at the system: the exit code'
    Assert-Equal (Invoke-Program $helper @('knock-help-pipe', "$name-system")) 'the agent' 'an administrator knocks at the system'

    # An ordinary user has it first.
    $held = Start-AsUser @('hold-help-pipe', "$name-user")
    Wait-Until "the user's pipe" { Test-Pipe "$name-user" }
    Invoke-Program $helper @('knock-help-pipe', "$name-user") -ExitCode 1 | Out-Null
    Invoke-Program $helper @('hold-help-pipe', "$name-user") -ExitCode 1 | Out-Null
    Assert-Equal (Invoke-KnockAsUser "$name-user") 0 'the user who runs an agent knocks at it: the exit code'
} finally {
    if ($held -and -not $held.HasExited) { Stop-Process -Id $held.Id -Force }
    Stop-ScheduledTask -TaskName $name -ErrorAction SilentlyContinue
    Unregister-ScheduledTask -TaskName $name -Confirm:$false -ErrorAction SilentlyContinue
    Remove-LocalUser -Name $name -ErrorAction SilentlyContinue
    # The task's program ends a moment after the task.
    Wait-Until 'the end of the test tool' {
        Remove-Item -Recurse -Force $shared -ErrorAction SilentlyContinue
        -not (Test-Path $shared)
    }
}
Write-Host 'ok: the pipe for help'
exit 0
